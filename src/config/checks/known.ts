import { nearest } from '../../shared/nearest.ts'
import type { Path } from '../source.ts'
import type { CheckContext } from './context.ts'

/** Complains about a trunk name that no trunk has, unless some trunk's name could not be read. */
export function knownTrunk(context: CheckContext, name: string | undefined, path: Path): void {
  const known = namesOf(context.draft.trunks)
  if (!known || name === undefined || known.includes(name)) return
  const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'a trunk; the file has none'
  const facts = { path, detail: name, found: name, expected, nearest: nearest(name, known) }
  context.error('CONFIG_UNKNOWN_TRUNK', facts)
}

/** The same for the name of a number. */
export function knownNumber(context: CheckContext, name: string | undefined, path: Path): void {
  const known = namesOf(context.draft.numbers)
  if (!known || name === undefined || known.includes(name)) return
  const expected = known.length > 0 ? `one of ${known.join(', ')}` : 'a number; the file has none'
  const facts = { path, detail: name, found: name, expected, nearest: nearest(name, known) }
  context.error('CONFIG_UNKNOWN_NUMBER', facts)
}

/** The names of a list; undefined when not all of them are known. */
function namesOf(
  list: readonly ({ name?: string | undefined } | undefined)[] | undefined,
): string[] | undefined {
  const names = list?.map((entry) => entry?.name)
  return names?.every((name) => name !== undefined) ? (names as string[]) : undefined
}
