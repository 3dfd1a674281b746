import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import type { GraphModes, WebhookSubscription } from '../graph/index.ts'
import { withoutPlus } from '../party.ts'
import type {
  Behaviour,
  CallRecord,
  CallState,
  Consumer,
  UserCallOptions,
  WhatsAppSimulator,
} from '../sip/index.ts'
import type { PermissionStatus, SimulatorStore } from '../store.ts'
import { type Problem, problemsOf } from './problems.ts'
import * as schemas from './schemas.ts'

/** What the control API steers. */
export interface ControlOptions {
  store: SimulatorStore
  sip: WhatsAppSimulator
  /** PEM of the CA both halves are certified by. */
  ca: string
  /** The Graph half's switches and webhooks, when it runs in the same process. */
  graph?: { modes: GraphModes; subscribe(subscription: WebhookSubscription): void }
  host: string
  port: number
}

/** The control API, listening. */
export interface ControlServer {
  /** Base URL without a trailing slash. */
  readonly url: string
  close(): Promise<void>
}

class ControlError extends Error {
  readonly status: number
  readonly problems: Problem[]

  constructor(status: number, message: string, problems: Problem[] = []) {
    super(message)
    this.status = status
    this.problems = problems
  }
}

interface ConsumerChange extends Partial<Omit<Consumer, 'id'>> {
  permission?: PermissionStatus
  business?: string
}

/** Starts the HTTP API that plays the consumers. Errors are `{ error, problems }`. */
export async function startControl(options: ControlOptions): Promise<ControlServer> {
  const app = fastify({
    forceCloseConnections: true,
    // A WACID as a path segment is longer than the default of 100.
    routerOptions: { maxParamLength: 1024 },
    ajv: { customOptions: { allErrors: true, removeAdditional: false, coerceTypes: false } },
  })
  app.setErrorHandler((error, request, reply) => {
    const { status, message, problems } = failureOf(error, request)
    return reply.code(status).send({ error: message, problems })
  })
  app.setNotFoundHandler((request, reply) =>
    reply
      .code(404)
      .send({ error: `${request.method} ${request.url} is unknown; GET / lists what there is` }),
  )
  const routes: string[] = []
  app.addHook('onRoute', (route) => {
    if (route.method !== 'HEAD') routes.push(`${route.method} ${route.url}`)
  })
  app.get('/', () => ({ routes }))
  app.get('/ca.pem', (_request, reply) => reply.type('application/x-pem-file').send(options.ca))
  addCalls(app, options)
  addConsumers(app, options)
  addBehaviour(app, options)
  const url = await app.listen({ host: options.host, port: options.port })
  return { url, close: () => app.close() }
}

type WithId = { Params: { id: string } }

function addCalls(app: FastifyInstance, { sip }: ControlOptions): void {
  app.post<{ Body: UserCallOptions }>(
    '/calls',
    { schema: { body: schemas.placeCall } },
    (request, reply) => {
      const call = attempt(() => sip.placeCall(request.body))
      return reply.code(201).send(call.view())
    },
  )
  app.get<{ Querystring: { state?: CallState } }>('/calls', (request) => {
    const { state } = request.query
    return sip.calls
      .all()
      .filter((call) => state === undefined || call.state === state)
      .map((call) => ({ ...call.view(), messages: undefined }))
  })
  app.get<WithId>('/calls/:id', (request) => find(request.params.id).view())
  for (const verb of ['hangup', 'cancel']) {
    app.post<WithId>(`/calls/:id/${verb}`, (request) => {
      const call = find(request.params.id)
      if (!sip.hangup(call.id)) throw new ControlError(409, 'the call is over')
      return call.view()
    })
  }
  app.post<WithId & { Body: { digits: string } }>(
    '/calls/:id/dtmf',
    { schema: { body: schemas.dtmf } },
    (request) => {
      const call = find(request.params.id)
      if (!sip.dtmf(call.id, request.body.digits)) {
        throw new ControlError(409, `the call is ${call.state}, not answered`)
      }
      return call.view()
    },
  )

  /** By call ID (`wacid.…`) or Call-ID. */
  function find(id: string): CallRecord {
    const call = sip.calls.get(id) ?? sip.calls.byCallId(id)
    if (!call) throw new ControlError(404, `no call ${id}; GET /calls lists them`)
    return call
  }
}

function addConsumers(app: FastifyInstance, { sip, store }: ControlOptions): void {
  const view = (consumer: Consumer) => ({
    ...consumer,
    permissions: store.numbers.map((number) => ({
      business: number.phoneNumber,
      ...store.permission(number, consumer.id),
    })),
  })
  app.get('/consumers', () => sip.consumers.all().map(view))
  app.get<{ Params: { number: string } }>('/consumers/:number', (request) =>
    view(sip.consumers.get(request.params.number)),
  )
  app.put<{ Params: { number: string }; Body: ConsumerChange }>(
    '/consumers/:number',
    { schema: { body: schemas.consumer } },
    (request) => {
      const { permission, business, ...changes } = request.body
      const { number: party } = request.params
      if (!/^(\+?\d{5,15}|[A-Z]{2}\.\w+)$/.test(party)) {
        throw new ControlError(400, `${party} is neither an E.164 number nor a BSUID`)
      }
      const named = business === undefined ? undefined : store.lookupNumberByPhone(business)
      if (business !== undefined && !named) {
        throw new ControlError(400, `${business} is no number of this simulator`)
      }
      const consumer = sip.consumers.update(withoutPlus(party), changes)
      for (const number of named ? [named] : store.numbers) {
        if (permission === 'no_permission') store.revokePermission(number, consumer.id)
        else if (permission !== undefined) {
          store.grantPermission(number, consumer.id, permission === 'permanent')
        }
      }
      return view(consumer)
    },
  )
}

function addBehaviour(app: FastifyInstance, { sip, graph }: ControlOptions): void {
  const view = () => ({ ...sip.behaviour, ...(graph ? { graph: graph.modes } : {}) })
  app.get('/behaviour', view)
  app.put<{ Body: Partial<Behaviour> & { graph?: Partial<GraphModes> } }>(
    '/behaviour',
    { schema: { body: schemas.behaviour } },
    (request) => {
      const { graph: modes, ...behaviour } = request.body
      if (modes && !graph) throw new ControlError(400, 'the Graph half does not run here')
      if (graph && modes) Object.assign(graph.modes, modes)
      sip.change(behaviour)
      return view()
    },
  )
  app.put<{ Body: WebhookSubscription }>(
    '/webhooks',
    { schema: { body: schemas.webhooks } },
    (request) => {
      if (!graph) throw new ControlError(400, 'the Graph half does not run here')
      graph.subscribe(request.body)
      return { subscribed: request.body.url }
    },
  )
}

/** Turns the RangeErrors of the simulator into 400. */
function attempt<T>(action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof RangeError) throw new ControlError(400, error.message)
    throw error
  }
}

function failureOf(error: unknown, request: FastifyRequest): ControlError {
  if (error instanceof ControlError) return error
  const {
    validation,
    statusCode = 500,
    message,
  } = error as Error & {
    validation?: Parameters<typeof problemsOf>[0]
    statusCode?: number
  }
  if (!validation) return new ControlError(statusCode, message)
  const schema = (request.routeOptions.schema?.body ?? {}) as object
  const problems = problemsOf(validation, schema)
  const list = problems.map(({ path, message }) => (path ? `${path} ${message}` : message))
  return new ControlError(400, list.join('; '), problems)
}
