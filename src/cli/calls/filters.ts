import { type CallFilter, parseMoment } from '../../records/index.ts'
import { catalogue } from '../../shared/errors/index.ts'
import { nearest } from '../../shared/nearest.ts'
import { UsageError } from '../verb.ts'

/** The options that choose calls, the same for every verb that does. */
export const FILTER_OPTIONS = {
  direction: { type: 'string' },
  number: { type: 'string' },
  trunk: { type: 'string' },
  wacid: { type: 'string' },
  consumer: { type: 'string' },
  result: { type: 'string' },
  code: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
} as const

/** What help pages say about them. */
export const FILTER_USAGE = `      --direction D   user-initiated or business-initiated
      --number NAME   name of a number of the configuration
      --trunk NAME    name of a trunk
      --consumer C    phone number (+33199001234) or business-scoped user ID
      --wacid ID      WhatsApp's ID of a call
      --result R      completed, cancelled, busy, declined, unanswered, refused
                      or failed
      --code CODE     NORMAL, or an error code such as CALL_BUSY
      --since T       started at T or later: 2h or 7d ago, 2026-11-29,
                      2026-11-29T08:30 (UTC)
      --until T       started before T`

const RESULTS = ['completed', 'cancelled', 'busy', 'declined', 'unanswered', 'refused', 'failed']

/** Values of {@link FILTER_OPTIONS}. */
export type FilterValues = { [K in keyof typeof FILTER_OPTIONS]?: string | undefined }

/**
 * The filter that options spell.
 * @param now milliseconds since the Unix epoch, for times that are so long ago
 * @throws UsageError naming the option
 */
export function filterOf(values: FilterValues, now = Date.now()): CallFilter {
  const { direction, number, trunk, wacid, result, code } = values
  oneOf('--direction', direction, ['user-initiated', 'business-initiated'])
  oneOf('--result', result, RESULTS)
  if (code !== undefined && code !== 'NORMAL' && !Object.hasOwn(catalogue, code)) {
    const meant = nearest(code, ['NORMAL', ...Object.keys(catalogue)])
    throw new UsageError(`--code ${code}: no such code${meant ? `; did you mean ${meant}?` : ''}`)
  }
  const consumer = values.consumer && consumerOf(values.consumer)
  const filter: CallFilter = { direction, number, trunk, wacid, consumer, result, code }
  for (const name of ['since', 'until'] as const) {
    const text = values[name]
    if (text === undefined) continue
    const at = parseMoment(text, now)
    if (at === undefined) {
      throw new UsageError(`--${name} ${text}: expected 2h, 7d, 2026-11-29 or 2026-11-29T08:30`)
    }
    filter[name] = at
  }
  return filter
}

/** A consumer as the records have it: the plus of a phone number may be left out. */
export function consumerOf(text: string): string {
  return /^\d+$/.test(text) ? `+${text}` : text
}

/** The filter as a query of the API. */
export function queryOf(filter: CallFilter): URLSearchParams {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(filter)) {
    if (value !== undefined) query.set(name, String(value))
  }
  return query
}

/**
 * The value of an option is one of those known, or absent.
 * @throws UsageError
 */
export function oneOf(option: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return
  const meant = nearest(value, known)
  const hint = meant ? `; did you mean ${meant}?` : ''
  throw new UsageError(`${option} ${value}: expected ${list(known)}${hint}`)
}

/**
 * The value of an option is a whole number within bounds, or absent.
 * @throws UsageError
 */
export function whole(
  option: string,
  value: string | undefined,
  least: number,
  most?: number,
): void {
  if (value === undefined) return
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= (most ?? number)) return
  const expected = most === undefined ? `a number from ${least}` : `a number, ${least} to ${most}`
  throw new UsageError(`${option} ${value}: expected ${expected}`)
}

function list(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
