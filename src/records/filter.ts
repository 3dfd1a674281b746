import type { CallRecord } from '../calls/index.ts'

/** Which calls are wanted; what is left out is not looked at. */
export interface CallFilter {
  direction?: string | undefined
  /** Name of a number of the configuration. */
  number?: string | undefined
  trunk?: string | undefined
  wacid?: string | undefined
  /** `+E.164` or BSUID. */
  consumer?: string | undefined
  /** Class of the end: `completed`, `busy`, … */
  result?: string | undefined
  /** Code of the end: `NORMAL`, `CALL_BUSY`, … */
  code?: string | undefined
  /** Start at or after, milliseconds since the Unix epoch. */
  since?: number | undefined
  /** Start before, milliseconds since the Unix epoch. */
  until?: number | undefined
}

/** Whether a call is one of those wanted. */
export function matches(call: Omit<CallRecord, 'ladder' | 'report'>, filter: CallFilter): boolean {
  const same = (wanted: string | undefined, is: string | undefined): boolean =>
    wanted === undefined || wanted === is
  return (
    same(filter.direction, call.direction) &&
    same(filter.number, call.number) &&
    same(filter.trunk, call.trunk) &&
    same(filter.wacid, call.whatsapp.wacid) &&
    same(filter.consumer, call.consumer) &&
    same(filter.result, call.cause?.result) &&
    same(filter.code, call.cause?.code) &&
    (filter.since === undefined || call.startedAt >= filter.since) &&
    (filter.until === undefined || call.startedAt < filter.until)
  )
}

/** A place in the list of ended calls, which is ordered by start, newest first. */
export interface Cursor {
  startedAt: number
  /** Number of the row. */
  seq: number
}

/** A cursor as text for others to give back: `1795196871596-42`. */
export function formatCursor({ startedAt, seq }: Cursor): string {
  return `${startedAt}-${seq}`
}

/** The cursor a text spells; undefined when it is none. */
export function parseCursor(text: string): Cursor | undefined {
  const match = /^(\d{1,15})-(\d{1,15})$/.exec(text)
  return match ? { startedAt: Number(match[1]), seq: Number(match[2]) } : undefined
}

const UNITS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A moment as people write it: `2h` or `7d` ago, a date (`2026-11-29`, midnight UTC), a date with time, or
 * milliseconds since the Unix epoch.
 *
 * @param now milliseconds since the Unix epoch
 * @returns undefined when it is none of them
 */
export function parseMoment(text: string, now: number): number | undefined {
  const ago = /^(\d{1,6})(s|m|h|d)$/.exec(text)
  if (ago) return now - Number(ago[1]) * UNITS[ago[2] as keyof typeof UNITS]
  if (/^\d{11,15}$/.test(text)) return Number(text)
  // Without a zone the text would mean another moment on each machine: then it is UTC.
  const date = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(
    text,
  )
  if (!date) return undefined
  const zoned = date[1] === undefined && text.length > 10 ? `${text}Z` : text
  const at = Date.parse(zoned.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}
