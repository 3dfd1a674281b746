import { once } from 'node:events'
import type { CallRecord } from '../../calls/index.ts'
import {
  type CallFilter,
  CallStore,
  type CallSummary,
  COUNT_LIMIT,
  csvHeader,
  EXPORT_PAGE,
  type ExportFormat,
  exportText,
  parseCursor,
  parseRecord,
} from '../../records/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { callIdIn } from '../call-id.ts'
import {
  type Client,
  connect,
  INSTANCE_OPTIONS,
  INSTANCE_USAGE,
  type InstanceValues,
} from '../client.ts'
import type { Io, Output } from '../io.ts'
import { load } from '../load.ts'
import { UsageError } from '../verb.ts'
import { queryOf } from './filters.ts'

/** The options of every verb that reads calls. */
export const SOURCE_OPTIONS = {
  ...INSTANCE_OPTIONS,
  offline: { type: 'boolean', default: false },
} as const

/** What help pages say about them. */
export const SOURCE_USAGE = `${INSTANCE_USAGE}
      --offline       reads the history under records.path of the configuration,
                      without an instance; calls in progress are not in it`

/** Values of {@link SOURCE_OPTIONS}. */
export interface SourceValues extends InstanceValues {
  offline: boolean
}

/** `GET /api/v1/calls`: records without their ladders. */
export interface CallList {
  /** Calls that match, those beyond the limit included. */
  total: number
  /** Whether the total is all of them, and not only as far as they are counted. */
  total_exact: boolean
  calls: CallSummary[]
  /** Where the list goes on. */
  next: string | null
}

/** What of the list is wanted. */
export interface ListOptions {
  filter: CallFilter
  state: string | undefined
  limit: number
  offset: number
}

/** Where calls are read: a running instance, or its file. */
export interface CallSource {
  list(options: ListOptions): Promise<CallList>
  /** By Causeway's ID or WhatsApp's. @throws CausewayError APP_CALL_UNKNOWN */
  show(id: string): Promise<CallRecord>
  /** Writes an export; how many bytes. */
  export(filter: CallFilter, format: ExportFormat, to: Output): Promise<void>
  close(): void
}

/** The source the options name. @throws UsageError, ConfigErrors, CausewayError of a file that cannot be read */
export function sourceOf(values: SourceValues, io: Io): CallSource {
  if (!values.offline) return new InstanceSource(connect(values, io))
  if (values.url !== undefined) throw new UsageError('--offline reads a file, --url an instance')
  const { records } = load(values.config, io, { expired: 'warning' }).config
  return new FileSource(new CallStore(records.path, { readOnly: true }))
}

class InstanceSource implements CallSource {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  list({ filter, state, limit, offset }: ListOptions): Promise<CallList> {
    const query = queryOf(filter)
    if (state !== undefined) query.set('state', state)
    query.set('limit', String(limit))
    query.set('offset', String(offset))
    return this.#client.get<CallList>(`/api/v1/calls?${query}`)
  }

  async show(id: string): Promise<CallRecord> {
    const own = await callIdIn(id, this.#client)
    return this.#client.get<CallRecord>(`/api/v1/calls/${encodeURIComponent(own)}`)
  }

  async export(filter: CallFilter, format: ExportFormat, to: Output): Promise<void> {
    const query = queryOf(filter)
    query.set('format', format)
    for await (const text of this.#client.stream(`/api/v1/calls/export?${query}`)) {
      await write(to, text)
    }
  }

  close(): void {}
}

class FileSource implements CallSource {
  readonly #store: CallStore

  constructor(store: CallStore) {
    this.#store = store
  }

  async list({ filter, state, limit, offset }: ListOptions): Promise<CallList> {
    if (state === 'active') return { total: 0, total_exact: true, calls: [], next: null }
    const total = await this.#store.count(filter)
    const page = await this.#store.page(filter, { skip: offset, limit, detail: false })
    const calls = page.texts.map((text) => parseRecord(text))
    return { total, total_exact: total !== COUNT_LIMIT, calls, next: page.next ?? null }
  }

  async show(id: string): Promise<CallRecord> {
    const text = id.startsWith('wacid.')
      ? (await this.#store.page({ wacid: id }, { limit: 1, detail: true })).texts[0]
      : this.#store.get(id)
    if (text === undefined) throw new CausewayError('APP_CALL_UNKNOWN', { place: id })
    return parseRecord(text)
  }

  async export(filter: CallFilter, format: ExportFormat, to: Output): Promise<void> {
    if (format === 'csv') await write(to, csvHeader())
    for (let next: string | undefined = ''; next !== undefined; ) {
      const before: ReturnType<typeof parseCursor> = parseCursor(next)
      const part = await exportText(this.#store, { filter, format, before, limit: EXPORT_PAGE })
      if (part.text !== '') await write(to, part.text)
      next = part.next
    }
  }

  close(): void {
    this.#store.close()
  }
}

/** Waits where the reader is slower than the writer. */
async function write(to: Output, text: string): Promise<void> {
  const taken = to.write(text)
  if (taken === false && 'once' in to) await once(to as unknown as NodeJS.WritableStream, 'drain')
}
