import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply } from 'fastify'
import type { CallRecord } from '../calls/index.ts'
import {
  type CallFilter,
  type CallSummary,
  COUNT_LIMIT,
  type Cursor,
  csvHeader,
  csvLines,
  EXPORT_FORMATS,
  EXPORT_PAGE,
  type ExportFormat,
  matches,
  parseCursor,
  parseMoment,
} from '../records/index.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Operations, StoredCalls } from './operations.ts'
import { badParameter } from './query.ts'

const FILTERS = {
  direction: { enum: ['user-initiated', 'business-initiated'] },
  number: { type: 'string' },
  trunk: { type: 'string' },
  wacid: { type: 'string' },
  consumer: { type: 'string' },
  result: {
    enum: ['completed', 'cancelled', 'busy', 'declined', 'unanswered', 'refused', 'failed'],
  },
  code: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
} as const

const LIST_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    state: { enum: ['active', 'ended'] },
    ...FILTERS,
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    offset: { type: 'integer', minimum: 0, default: 0 },
    before: { type: 'string' },
  },
} as const

const EXPORT_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { format: { enum: EXPORT_FORMATS, default: 'jsonl' }, ...FILTERS },
} as const

const FORGET_QUERY = {
  type: 'object',
  additionalProperties: false,
  required: ['consumer'],
  properties: { consumer: { type: 'string', minLength: 1 } },
} as const

type FilterQuery = Omit<CallFilter, 'since' | 'until'> & { since?: string; until?: string }

interface ListQuery extends FilterQuery {
  state?: 'active' | 'ended'
  limit: number
  offset: number
  before?: string
}

const TYPES: Record<ExportFormat, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  jsonl: 'application/jsonl; charset=utf-8',
}

/** `/api/v1/calls` and what belongs to many calls. */
export function callListRoutes(api: FastifyInstance, operations: Operations): void {
  const { calls } = operations

  api.get('/calls', { schema: { querystring: LIST_QUERY } }, async (request, reply) => {
    const query = request.query as ListQuery
    const filter = filterOf(query)
    if (isCausewayError(filter)) return refuse(reply, 400, filter)
    const { state, before, limit, offset } = query
    const cursor = before === undefined ? undefined : parseCursor(before)
    if (before !== undefined && (!cursor || offset > 0)) {
      const why = cursor ? 'before and offset exclude each other' : `before ${before} is no cursor`
      return refuse(reply, 400, badParameter(why))
    }
    const active = state === 'ended' || cursor ? [] : chosen(calls.active(), filter)
    const shown = active.slice(offset, offset + limit)
    const options = {
      before: cursor,
      skip: Math.max(0, offset - active.length),
      limit: limit - shown.length,
    }
    const wanted = state !== 'active'
    const ended = wanted ? await endedPage(operations, filter, options) : NOTHING
    return {
      total: active.length + ended.total,
      total_exact: ended.total < COUNT_LIMIT || ended.exact,
      calls: [...shown.map(summary), ...ended.calls],
      next: ended.next ?? null,
    }
  })

  api.get('/calls/export', { schema: { querystring: EXPORT_QUERY } }, async (request, reply) => {
    const query = request.query as FilterQuery & { format: ExportFormat }
    const filter = filterOf(query)
    if (isCausewayError(filter)) return refuse(reply, 400, filter)
    const { format } = query
    const parts = exported(operations, filter, format)
    try {
      // The first part tells whether the history can be read, while there is still a status to say so.
      const first = await parts.next()
      return reply
        .type(TYPES[format])
        .header('content-disposition', `attachment; filename="causeway-calls.${format}"`)
        .send(Readable.from(resumed(first, parts)))
    } catch (error) {
      if (!isCausewayError(error)) throw error
      return refuse(reply, 503, error)
    }
  })

  api.delete('/calls', { schema: { querystring: FORGET_QUERY } }, async (request, reply) => {
    const consumer = consumerOf((request.query as { consumer: string }).consumer)
    try {
      return { consumer, forgotten: (await calls.stored?.forget(consumer)) ?? 0 }
    } catch (error) {
      if (!isCausewayError(error)) throw error
      return refuse(reply, 503, error)
    }
  })
}

interface EndedPage {
  total: number
  exact: boolean
  calls: CallSummary[]
  next: string | undefined
}

const NOTHING: EndedPage = { total: 0, exact: true, calls: [], next: undefined }

/** Ended calls of the history; of those in memory when there is none, or when it cannot be read. */
async function endedPage(
  { calls }: Operations,
  filter: CallFilter,
  options: { before: Cursor | undefined; skip: number; limit: number },
): Promise<EndedPage> {
  const { before, skip, limit } = options
  try {
    if (calls.stored) {
      const total = await calls.stored.count(filter)
      const exact = Object.values(filter).every((value) => value === undefined)
      if (limit === 0) return { total, exact, calls: [], next: undefined }
      return { total, exact, ...(await calls.stored.page(filter, { before, skip, limit })) }
    }
  } catch (error) {
    if (!isCausewayError(error)) throw error
  }
  const all = chosen(calls.ended(), filter)
  const page = before ? [] : all.slice(skip, skip + limit)
  return { total: all.length, exact: true, calls: page.map(summary), next: undefined }
}

async function* exported(
  { calls }: Operations,
  filter: CallFilter,
  format: ExportFormat,
): AsyncGenerator<string> {
  const header = format === 'csv' ? csvHeader() : ''
  if (!calls.stored) {
    const records = chosen(calls.ended(), filter)
    yield header + (format === 'csv' ? csvLines(records) : jsonLines(records))
    return
  }
  yield* pages(calls.stored, filter, format, header)
}

/** One part at a time, and none before the last has left: the reader sets the pace. */
async function* pages(
  stored: StoredCalls,
  filter: CallFilter,
  format: ExportFormat,
  header: string,
): AsyncGenerator<string> {
  let before: Cursor | undefined
  let lead = header
  do {
    const part = await stored.export({ filter, format, before, limit: EXPORT_PAGE })
    yield lead + part.text
    lead = ''
    before = part.next === undefined ? undefined : parseCursor(part.next)
  } while (before)
}

async function* resumed(
  first: IteratorResult<string>,
  rest: AsyncGenerator<string>,
): AsyncGenerator<string> {
  if (!first.done && first.value !== '') yield first.value
  yield* rest
}

function jsonLines(records: readonly CallRecord[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

function filterOf(query: FilterQuery): CallFilter | CausewayError {
  const { direction, number, trunk, wacid, result, code } = query
  const consumer = query.consumer === undefined ? undefined : consumerOf(query.consumer)
  const filter: CallFilter = { direction, number, trunk, wacid, consumer, result, code }
  for (const name of ['since', 'until'] as const) {
    const text = query[name]
    if (text === undefined) continue
    const at = parseMoment(text, Date.now())
    if (at === undefined) {
      return badParameter(
        `${name} ${text}: expected 2h, 7d, 2026-11-29, a date with time, or milliseconds`,
      )
    }
    filter[name] = at
  }
  return filter
}

/** A phone number whose plus was lost, as a blank or altogether: in a URL it has to be written `%2B`. */
function consumerOf(text: string): string {
  return /^[ +]?\d+$/.test(text) ? `+${text.replace(/^[ +]/, '')}` : text
}

function chosen(records: readonly CallRecord[], filter: CallFilter): CallRecord[] {
  return records.filter((record) => matches(record, filter))
}

/** A call in a list: everything but the ladder and the figures of its media. */
function summary(record: CallRecord): CallSummary {
  const { ladder: _ladder, ladderDropped: _dropped, report: _report, ...rest } = record
  return rest
}

function refuse(reply: FastifyReply, status: number, error: CausewayError): FastifyReply {
  return reply.code(status).send({ error })
}
