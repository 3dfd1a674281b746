import Fastify, { type FastifyInstance } from 'fastify'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Secret } from '../shared/secret.ts'
import { apiRoutes, notFound } from './api.ts'
import { apiGuard } from './auth.ts'
import { healthRoutes } from './health.ts'
import { metricsRoute } from './metrics.ts'
import type { Operations } from './operations.ts'
import { answerMalformed, answerUnroutable } from './unroutable.ts'
import { type WebhookDoor, webhookRoutes, webhookUrl } from './webhooks.ts'

/** What the HTTP interface needs. */
export interface HttpOptions {
  operations: Operations
  /** The API's token as configured now; a reload may change it. */
  token: () => Secret | undefined
  /** Undefined: there never are any. */
  webhooks?: WebhookDoor | undefined
  log: Logger
}

/** The HTTP interface, bound. */
export interface HttpServer {
  address: { host: string; port: number }
  close(): Promise<void>
}

/** Builds the routes without listening, so that tests can inject requests. */
export function buildHttp(options: HttpOptions): FastifyInstance {
  const guard = apiGuard(options.token)
  const app = Fastify({
    logger: false,
    // Routes cannot be added later, and a reload may move the webhooks.
    rewriteUrl: ({ url = '/' }) => webhookUrl(url, options.webhooks?.path()),
    bodyLimit: 64 * 1024,
    // A request that trickles in does not hold its connection for longer.
    requestTimeout: 30_000,
    forceCloseConnections: true,
    // An id of any length is looked for: it is unknown, not malformed.
    routerOptions: { maxParamLength: 16 * 1024 },
    frameworkErrors: answerUnroutable(guard),
    clientErrorHandler: answerMalformed,
  })
  // No route of the API reads a body: whatever a client adds to its POST or DELETE is let be.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.setErrorHandler(
    (error: Error & { statusCode?: number; validation?: unknown }, request, reply) => {
      if (error.validation) {
        const detail = error.message
        return reply
          .code(400)
          .send({ error: new CausewayError('APP_HTTP_BAD_REQUEST', { detail }) })
      }
      const status = error.statusCode ?? 500
      if (status < 500) {
        const detail = error.message
        return reply
          .code(status)
          .send({ error: new CausewayError('APP_HTTP_BAD_REQUEST', { detail }) })
      }
      options.log.error({ err: error, url: request.url }, 'http request failed')
      return reply.code(status).send({ error: new CausewayError('APP_HTTP_FAILED') })
    },
  )
  app.setNotFoundHandler(notFound)
  healthRoutes(app, options.operations)
  metricsRoute(app, options.operations)
  apiRoutes(app, options.operations, guard)
  if (options.webhooks) webhookRoutes(app, options.webhooks)
  return app
}

/**
 * Starts the HTTP interface.
 * @throws CausewayError `APP_HTTP_LISTEN` when the address cannot be bound
 */
export async function startHttp(
  options: HttpOptions & { host: string; port: number },
): Promise<HttpServer> {
  const app = buildHttp(options)
  try {
    await app.listen({ host: options.host, port: options.port })
  } catch (cause) {
    const detail = `${options.host}:${options.port} ${(cause as Error).message}`
    throw new CausewayError('APP_HTTP_LISTEN', { detail, cause })
  }
  const bound = app.server.address()
  const port = typeof bound === 'object' && bound ? bound.port : options.port
  return { address: { host: options.host, port }, close: () => app.close() }
}
