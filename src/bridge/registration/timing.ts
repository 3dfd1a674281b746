import type { Random } from '../../shared/random.ts'

/** What kind of failure a REGISTER met: they are tried again at different paces. */
export type Trouble = 'refused' | 'unreachable' | 'failed'

/** First and longest pause after a failure, milliseconds. */
const PAUSES: Readonly<Record<Trouble, { first: number; longest: number }>> = {
  // Somebody has to correct an account; servers lock those that keep asking.
  refused: { first: 60_000, longest: 600_000 },
  // The PBX may be back any moment.
  unreachable: { first: 1000, longest: 15_000 },
  failed: { first: 5000, longest: 60_000 },
}

/** Longest Retry-After that is obeyed, milliseconds. */
const LONGEST_WAIT = 3_600_000

/**
 * Milliseconds until a registrar is asked again: doubled with each failure, between half and all of
 * it, so that many clients of a PBX that returns do not come at once. A Retry-After is kept.
 *
 * @param failures in a row, from 1
 * @param retryAfter milliseconds, where the response named it
 */
export function pauseAfter(
  trouble: Trouble,
  failures: number,
  retryAfter: number | undefined,
  random: Random,
): number {
  const { first, longest } = PAUSES[trouble]
  const most = Math.min(longest, first * 2 ** Math.min(failures - 1, 16))
  const pause = Math.round((most * random.int(50, 101)) / 100)
  if (retryAfter === undefined) return pause
  const asked = Math.min(retryAfter, LONGEST_WAIT)
  return Math.max(pause, Math.round((asked * random.int(100, 111)) / 100))
}

/**
 * Milliseconds until a registration is made again after its connection failed: at once the first
 * time, growing pauses when it repeats (RFC 5626 §4.5). They are shorter than its default of half a
 * minute to half an hour: a trunk has one flow, and calls of the PBX wait for it.
 *
 * @param failures in a row, from 1
 */
export function pauseAfterFlow(failures: number, random: Random): number {
  return failures <= 1 ? 0 : pauseAfter('failed', failures - 1, undefined, random)
}

/**
 * Milliseconds until a registration is renewed: at 75 to 85 % of its lifetime, which leaves time for
 * a registrar that does not answer; earlier where nothing but the REGISTER itself shows the registrar
 * that its flow is alive (RFC 5626 §4.4, Flow-Timer).
 *
 * @param flowTimer milliseconds; undefined where there is none, or where the SIP server pings;
 * 0 says nothing
 */
export function renewAfter(
  lifetime: number,
  flowTimer: number | undefined,
  random: Random,
): number {
  const renewal = Math.round((lifetime * random.int(75, 86)) / 100)
  if (flowTimer === undefined || flowTimer <= 0) return renewal
  return Math.min(renewal, Math.round((flowTimer * random.int(80, 91)) / 100))
}
