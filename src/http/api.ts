import type { FastifyInstance } from 'fastify'
import type { CallRecord } from '../calls/index.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Secret } from '../shared/secret.ts'
import { apiGuard } from './auth.ts'
import { numberRoutes } from './numbers.ts'
import type { Operations } from './operations.ts'

const CALLS_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    state: { enum: ['active', 'ended'] },
    direction: { enum: ['user-initiated', 'business-initiated'] },
    number: { type: 'string' },
    trunk: { type: 'string' },
    wacid: { type: 'string' },
    limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 },
    offset: { type: 'integer', minimum: 0, default: 0 },
  },
} as const

interface CallsQuery {
  state?: 'active' | 'ended'
  direction?: string
  number?: string
  trunk?: string
  wacid?: string
  limit: number
  offset: number
}

/** `/api/v1/…` of contract section 4, behind the token. */
export function apiRoutes(
  app: FastifyInstance,
  operations: Operations,
  token: () => Secret | undefined,
): void {
  app.register(
    async (api) => {
      api.addHook('onRequest', apiGuard(token))
      callRoutes(api, operations)
      numberRoutes(api, operations)
      api.get('/trunks', async () => ({ trunks: operations.trunks() }))
      api.get('/config', async () => operations.config())
      api.get('/reload', async () => operations.reloads())
      api.post('/reload', async (_request, reply) => {
        const result = await operations.reload()
        return reply.code(result.ok ? 200 : 422).send(result)
      })
      api.post('/drain', async () => {
        operations.drain()
        return { draining: true }
      })
      api.post('/undrain', async () => {
        operations.undrain()
        return { draining: false }
      })
    },
    { prefix: '/api/v1' },
  )
}

function callRoutes(api: FastifyInstance, operations: Operations): void {
  const { calls } = operations

  api.get('/calls', { schema: { querystring: CALLS_QUERY } }, async (request) => {
    const query = request.query as CallsQuery
    const chosen = select(operations, query).filter((call) => matches(call, query))
    return {
      total: chosen.length,
      calls: chosen.slice(query.offset, query.offset + query.limit).map(summary),
    }
  })

  api.get<{ Params: { id: string } }>('/calls/:id', async (request, reply) => {
    const { id } = request.params
    const record = calls.get(id)
    if (!record) return reply.code(404).send({ error: unknownCall(id) })
    return { ...record, report: record.report ?? (await calls.report(id)) }
  })

  api.delete<{ Params: { id: string } }>('/calls/:id', async (request, reply) => {
    if (calls.hangUp(request.params.id)) return reply.code(202).send({ hanging_up: true })
    return reply.code(404).send({ error: unknownCall(request.params.id) })
  })
}

function select({ calls }: Operations, { state }: CallsQuery): CallRecord[] {
  if (state === 'active') return calls.active()
  if (state === 'ended') return calls.ended()
  return [...calls.active(), ...calls.ended()]
}

function matches(call: CallRecord, query: CallsQuery): boolean {
  return (
    (query.direction === undefined || call.direction === query.direction) &&
    (query.number === undefined || call.number === query.number) &&
    (query.trunk === undefined || call.trunk === query.trunk) &&
    (query.wacid === undefined || call.whatsapp.wacid === query.wacid)
  )
}

/** A call in a list: everything but the ladder and the figures of its media. */
function summary(record: CallRecord): Omit<CallRecord, 'ladder' | 'ladderDropped' | 'report'> {
  const { ladder: _ladder, ladderDropped: _dropped, report: _report, ...rest } = record
  return rest
}

function unknownCall(id: string): CausewayError {
  return new CausewayError('APP_CALL_UNKNOWN', { place: id })
}
