import type { CallRecord } from '../calls/index.ts'

/** A record on its way into the database: what is searched for, and the rest as JSON. */
export interface StoredCall {
  readonly id: string
  readonly wacid: string | null
  readonly direction: string
  readonly number: string
  readonly trunk: string
  readonly consumer: string
  readonly result: string
  readonly code: string
  readonly startedAt: number
  readonly endedAt: number
  /** The record without its ladder and the figures of its media: what a list shows. */
  readonly summary: string
  /** Ladder and figures. */
  readonly detail: string
}

/** What a list shows of a call. */
export type CallSummary = Omit<CallRecord, 'ladder' | 'ladderDropped' | 'report'>

/** A record of an ended call as it is kept. */
export function storedCall(record: CallRecord): StoredCall {
  const { ladder, ladderDropped, report, ...rest } = record
  const { id, whatsapp, direction, number, trunk, consumer, cause, startedAt, endedAt } = rest
  return {
    id,
    wacid: whatsapp.wacid ?? null,
    direction,
    number,
    trunk,
    consumer,
    result: cause?.result ?? 'failed',
    code: cause?.code ?? 'CALL_INTERNAL',
    startedAt,
    endedAt: endedAt ?? startedAt,
    summary: JSON.stringify(rest),
    detail: JSON.stringify({ report, ladder, ladderDropped }),
  }
}

/** Both parts as the text of one record. */
export function wholeText(summary: string, detail: string): string {
  return `${summary.slice(0, -1)},${detail.slice(1)}`
}

/** A record as it was kept; what was undefined is missing. */
export function parseRecord(text: string): CallRecord {
  return JSON.parse(text) as CallRecord
}
