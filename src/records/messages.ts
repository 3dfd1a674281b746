import type { WhatsAppReport } from '../calls/index.ts'
import {
  CausewayError,
  catalogue,
  type ErrorCode,
  isCausewayError,
} from '../shared/errors/index.ts'
import type { CallFilter, Cursor } from './filter.ts'
import type { CallHint, DueRecord, Page, Retention, StoreFigures } from './store.ts'
import type { StoredCall } from './stored.ts'

/** What the thread of the history is started with. */
export interface BackendOptions {
  /** `records.path` */
  folder: string
  retention: Retention
  /** Milliseconds from a change of a record to its push; undefined: nothing is pushed. */
  pushDelay: number | undefined
  /** Milliseconds to wait for another process to finish its write. */
  busy: number
}

/** Everything the history is asked, by name: what goes in, what comes back. */
export interface Asks {
  write: { in: StoredCall[]; out: undefined }
  page: { in: PageAsk; out: Page }
  count: { in: CallFilter; out: number }
  get: { in: string; out: string | undefined }
  tell: { in: TellAsk; out: string | undefined }
  forget: { in: string; out: number }
  due: { in: { limit: number; except: number[] }; out: DueRecord[] }
  pushed: { in: { seq: number; revision: number }[]; out: number }
  export: { in: ExportAsk; out: ExportedPage }
  close: { in: undefined; out: undefined }
}

/** A page of the list that is asked for. */
export interface PageAsk {
  filter: CallFilter
  before: Cursor | undefined
  skip: number
  limit: number
  detail: boolean
}

/** What WhatsApp's webhooks say of a call. */
export interface TellAsk {
  wacid: string
  told: Partial<WhatsAppReport>
  hint: CallHint | undefined
}

/** Formats of an export. */
export const EXPORT_FORMATS = ['csv', 'jsonl'] as const
/** A format of an export. */
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** A part of an export that is asked for. */
export interface ExportAsk {
  filter: CallFilter
  format: ExportFormat
  before: Cursor | undefined
  limit: number
}

/** A part of an export, as it is written. */
export interface ExportedPage {
  text: string
  /** How many calls are in it. */
  calls: number
  next: string | undefined
}

/** One question to the thread. */
export type Request = {
  [K in keyof Asks]: { n: number; kind: K; body: Asks[K]['in'] }
}[keyof Asks]

/** An error across the threads. */
export interface ErrorText {
  code: string | undefined
  detail: string | undefined
  place: string | undefined
}

/** What the thread says: the answer to a question, or news of its own. */
export type Reply =
  | { kind: 'answer'; n: number; value: unknown; figures: StoreFigures | undefined }
  | { kind: 'failed'; n: number; error: ErrorText }
  /** A damaged file was set aside. */
  | { kind: 'aside'; error: ErrorText }

export function errorText(error: unknown): ErrorText {
  if (isCausewayError(error)) {
    const { code, detail, place } = error
    return { code, detail, place }
  }
  return { code: undefined, detail: String((error as Error)?.stack ?? error), place: undefined }
}

/** The error brought back. */
export function errorFrom({ code, detail, place }: ErrorText): CausewayError {
  const known = code !== undefined && Object.hasOwn(catalogue, code)
  return new CausewayError(known ? (code as ErrorCode) : 'APP_RECORDS_UNUSABLE', {
    ...(detail === undefined ? {} : { detail }),
    ...(place === undefined ? {} : { place }),
  })
}
