import type { FastifyInstance, FastifyReply } from 'fastify'
import { parseDuration } from '../config/index.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Operations } from './operations.ts'

interface Named {
  Params: { name: string }
}

const JOURNAL_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: { limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
} as const

const ROTATE_QUERY = {
  type: 'object',
  additionalProperties: false,
  properties: {
    wait: { type: 'string', pattern: '^(0|\\d{1,9}(ms|s|m|h))$', default: '60s' },
    resume: { type: 'boolean', default: false },
  },
} as const

/** HTTP status of what a number's routes may answer; anything else is 409: not now. */
const STATUS: Partial<Record<CausewayError['code'], number>> = {
  APP_NUMBER_UNKNOWN: 404,
  SETTINGS_ROTATION_NONE: 404,
}

/** `/api/v1/numbers…` */
export function numberRoutes(api: FastifyInstance, operations: Operations): void {
  api.get('/numbers', async () => ({ numbers: operations.numbers() }))

  api.get<Named & { Querystring: { limit: number } }>(
    '/numbers/:name/journal',
    { schema: { querystring: JOURNAL_QUERY } },
    async ({ params, query }, reply) =>
      coded(reply, () => ({ entries: operations.journal(params.name, query.limit) })),
  )

  api.post<Named & { Querystring: { wait: string; resume: boolean } }>(
    '/numbers/:name/rotate',
    { schema: { querystring: ROTATE_QUERY } },
    async ({ params, query }, reply) =>
      coded(reply, () => {
        const options = { wait: parseDuration(query.wait) ?? 0, resume: query.resume }
        const rotation = operations.rotate(params.name, options)
        reply.code(202)
        return { rotation }
      }),
  )
}

async function coded(reply: FastifyReply, answer: () => unknown): Promise<unknown> {
  try {
    return answer()
  } catch (error) {
    if (!isCausewayError(error)) throw error
    return reply.code(STATUS[error.code] ?? 409).send({ error })
  }
}
