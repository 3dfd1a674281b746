import { matching } from '../leaf.ts'

/** Name of a number, trunk or route. */
export const nameLeaf = () =>
  matching(/^[\w][\w.-]{0,63}$/, {
    expected: 'a name of letters, digits, - _ and .',
    why: 'this is not a name',
    quotable: true,
  })
