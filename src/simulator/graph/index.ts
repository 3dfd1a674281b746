import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify'
import type { Clock } from '../../shared/clock.ts'
import { delay } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { createStore, type SimulatedNumberOptions, type SimulatorStore } from '../store.ts'
import { envelopeOf, GraphFailure } from './failure.ts'
import { answers, createFaults, type Fault, type Faults } from './faults.ts'
import { RequestJournal } from './journal.ts'
import { createPermissionsApi, type PermissionScript } from './permissions.ts'
import { addRoutes, bearerOf, type GraphModes } from './routes.ts'
import type { GraphDialect } from './spelling.ts'
import { createWebhookSender, type WebhookSender, type WebhookSubscription } from './webhooks.ts'

export type { Fault } from './faults.ts'
export type { GraphRequest } from './journal.ts'
export type { PermissionReply, PermissionScript } from './permissions.ts'
export type { GraphModes } from './routes.ts'
export type { SrtpReset } from './settings-write.ts'
export type { GraphDialect } from './spelling.ts'
export type { WebhookDelivery, WebhookSender, WebhookSubscription } from './webhooks.ts'

export interface GraphSimulatorOptions {
  /** Shared with the SIP half; made from `numbers` when absent. */
  store?: SimulatorStore
  numbers?: SimulatedNumberOptions[]
  /** Default `meta`. */
  dialect?: GraphDialect
  clock: Clock
  random: Random
  /** Default 127.0.0.1, port 0. */
  listen?: { host: string; port: number }
  /** PEM; HTTPS instead of HTTP. */
  tls?: { cert: string; key: string }
  webhooks?: WebhookSubscription
  /** Default: every request is accepted at once with a temporary permission. */
  permissionReply?: PermissionScript
}

/** The Graph API around calling, in memory. */
export interface GraphSimulator {
  readonly store: SimulatorStore
  /** May be changed at any time. */
  readonly modes: GraphModes
  readonly faults: Faults
  readonly webhooks: WebhookSender
  readonly requests: RequestJournal
  /** Base URL without a trailing slash, for `whatsapp.graph_url`. Valid once started. */
  readonly url: string
  setPermissionReply(script: PermissionScript): void
  start(): Promise<{ url: string }>
  stop(): Promise<void>
}

/** Builds the Graph half of the WhatsApp simulator; nothing listens until `start`. */
export function createGraphSimulator(options: GraphSimulatorOptions): GraphSimulator {
  const { clock, random } = options
  const store = options.store ?? createStore({ numbers: options.numbers ?? [], clock, random })
  const modes: GraphModes = {
    dialect: options.dialect ?? 'meta',
    srtpReset: 'off',
    reportServerDetails: true,
  }
  const faults = createFaults()
  const requests = new RequestJournal()
  const webhooks = createWebhookSender({ clock, random })
  webhooks.subscribe(options.webhooks)
  store.onWebhook(webhooks.send)
  const script: PermissionScript = options.permissionReply ?? (() => ({ response: 'accept' }))
  const permissions = createPermissionsApi({ store, clock, random, script })
  const server: FastifyInstance = options.tls
    ? (fastify({ forceCloseConnections: true, https: options.tls }) as unknown as FastifyInstance)
    : fastify({ forceCloseConnections: true })
  let url = ''

  const trace = (): string => `A${random.hex(10)}`
  server.setErrorHandler((error, _request, reply) => {
    const failure = failureOf(error)
    return reply.code(failure.status).send(envelopeOf(failure, trace()))
  })
  server.setNotFoundHandler((_request, reply) =>
    reply.code(404).send(envelopeOf({ code: 100, details: 'Unknown path components' }, trace())),
  )
  server.addHook('preHandler', async (request, reply) => {
    record(request)
    const fault = faults.take(request.method, request.url)
    if (!fault) return
    if (fault.delay) await delay(clock, fault.delay)
    if (answers(fault)) return disturb(fault, reply)
  })

  function record(request: FastifyRequest): void {
    const token = bearerOf(request) || String(request.headers['d360-api-key'] ?? '')
    requests.add({
      at: clock.now(),
      method: request.method,
      url: request.url,
      appId: store.lookupByToken(token)?.app.appId,
      body: request.body,
    })
  }

  function disturb(fault: Fault, reply: FastifyReply): FastifyReply {
    if (fault.hangUp) {
      reply.hijack()
      reply.raw.destroy()
      return reply
    }
    if (fault.retryAfter) reply.header('retry-after', fault.retryAfter)
    const { code = 1, message = 'Injected failure', subcode } = fault
    const status = fault.status ?? (fault.body === undefined ? 400 : 200)
    const body = fault.body ?? envelopeOf({ code, details: message, subcode }, trace())
    return reply.code(status).send(body)
  }

  addRoutes(server, { store, clock, modes, permissions })

  return {
    store,
    modes,
    faults,
    webhooks,
    requests,
    get url() {
      return url
    },
    setPermissionReply: permissions.setScript,
    async start() {
      const { host, port } = options.listen ?? { host: '127.0.0.1', port: 0 }
      url = await server.listen({ host, port })
      return { url }
    },
    async stop() {
      webhooks.stop()
      await server.close()
    },
  }
}

/** Foreign errors are the client's malformed JSON (code 100) or our own fault (code 1). */
function failureOf(error: unknown): GraphFailure {
  if (error instanceof GraphFailure) return error
  const { statusCode = 500, message = String(error) } = error as {
    statusCode?: number
    message?: string
  }
  return statusCode < 500
    ? new GraphFailure(statusCode, 100, message)
    : new GraphFailure(500, 1, 'An unknown error occurred')
}
