import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'
import { callListRoutes } from './call-list.ts'
import { messageRoutes } from './messages.ts'
import { numberRoutes } from './numbers.ts'
import type { Operations } from './operations.ts'
import { refuseUnknownParameters } from './query.ts'

/** `/api/v1/…` of contract section 4, behind the token: paths that do not exist are, too. */
export function apiRoutes(
  app: FastifyInstance,
  operations: Operations,
  guard: (request: FastifyRequest, reply: FastifyReply) => Promise<void>,
): void {
  app.register(
    async (scope) => {
      scope.addHook('onRequest', guard)
      scope.setNotFoundHandler(notFound)
      versionOne(scope, operations)
    },
    { prefix: '/api' },
  )
}

function versionOne(scope: FastifyInstance, operations: Operations): void {
  scope.register(
    async (api) => {
      api.addHook('preValidation', refuseUnknownParameters)
      callListRoutes(api, operations)
      callRoutes(api, operations)
      messageRoutes(api, operations)
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
    { prefix: '/v1' },
  )
}

/** The answer to a path, or a method of it, that does not exist. */
export function notFound(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const detail = `${request.method} ${request.originalUrl.split('?')[0]}`
  return reply.code(404).send({ error: new CausewayError('APP_HTTP_NOT_FOUND', { detail }) })
}

function callRoutes(api: FastifyInstance, operations: Operations): void {
  const { calls } = operations

  api.get<{ Params: { id: string } }>('/calls/:id', async (request, reply) => {
    const { id } = request.params
    const record = calls.get(id) ?? (await calls.stored?.get(id).catch(() => undefined))
    if (!record) return reply.code(404).send({ error: unknownCall(id) })
    return { ...record, report: record.report ?? (await calls.report(id)) }
  })

  api.delete<{ Params: { id: string } }>('/calls/:id', async (request, reply) => {
    if (calls.hangUp(request.params.id)) return reply.code(202).send({ hanging_up: true })
    return reply.code(404).send({ error: unknownCall(request.params.id) })
  })
}

function unknownCall(id: string): CausewayError {
  return new CausewayError('APP_CALL_UNKNOWN', { place: id })
}
