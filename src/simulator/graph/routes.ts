import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../shared/clock.ts'
import type { SimulatedApp, SimulatedNumber, SimulatorStore } from '../store.ts'
import { GraphFailure, invalid } from './failure.ts'
import { numberNode, permissionsOf } from './node.ts'
import type { PermissionsApi } from './permissions.ts'
import { callingView } from './settings-view.ts'
import { type SrtpReset, writeCalling } from './settings-write.ts'
import { type GraphDialect, spellingOf } from './spelling.ts'
import { isObject, type JsonObject } from './values.ts'

/** Behaviours that may be changed while the simulator runs. */
export interface GraphModes {
  dialect: GraphDialect
  srtpReset: SrtpReset
  /** Whether GET shows `port` and `request_uri_user_params`, as real answers partly do. */
  reportServerDetails: boolean
}

/** Whose request it is. */
interface Caller {
  number: SimulatedNumber
  app: SimulatedApp
}

type Handler = (caller: Caller, request: FastifyRequest) => unknown

/** The endpoints of the Graph API around calling, in the paths of all dialects. */
export function addRoutes(
  server: FastifyInstance,
  context: {
    store: SimulatorStore
    clock: Clock
    modes: GraphModes
    permissions: PermissionsApi
  },
): void {
  const { store, clock, modes, permissions } = context

  function readSettings({ number, app }: Caller, request: FastifyRequest): unknown {
    const query = queryOf(request)
    const credentials = query['include_sip_credentials'] === 'true'
    return {
      calling: callingView(store, number, {
        spelling: spellingOf(modes.dialect),
        credentialsFor: credentials ? app.appId : undefined,
        reportServerDetails: modes.reportServerDetails,
      }),
      payload_encryption: { status: spellingOf(modes.dialect).toggle('DISABLED') },
      user_identity_change: { enabled: false },
      storage_configuration: { status: modes.dialect === 'v23' ? 'default' : 'DEFAULT' },
    }
  }

  function writeSettings({ number, app }: Caller, request: FastifyRequest): unknown {
    const { body } = request
    if (!isObject(body)) throw invalid('The request body must be a JSON object')
    if (Object.keys(body).length !== 1) {
      throw invalid('Only one feature setting can be specified per request')
    }
    if (body['calling'] === undefined) return { success: true }
    const today = new Date(clock.now()).toISOString().slice(0, 10)
    const { srtpReset } = modes
    const { announced } = writeCalling(number, app, body['calling'], { srtpReset, today })
    // The password exists from the first moment the app has a server.
    if (number.calling.servers.has(app.appId)) store.passwordOf(number, app.appId)
    if (announced) announce(number)
    return { success: true }
  }

  function announce(number: SimulatedNumber): void {
    store.emitWebhook({
      number,
      field: 'account_settings_update',
      value: {
        messaging_product: 'whatsapp',
        timestamp: String(Math.floor(clock.now() / 1000)),
        type: 'phone_number_settings',
        phone_number_settings: {
          phone_number_id: number.phoneNumberId,
          calling: callingView(store, number, {
            spelling: spellingOf(modes.dialect),
            credentialsFor: undefined,
            reportServerDetails: modes.reportServerDetails,
          }),
        },
      },
    })
  }

  function refuseCall({ number }: Caller): never {
    if (number.calling.sipStatus === 'ENABLED') {
      throw new GraphFailure(400, 131055, 'Calling endpoints cannot be used while SIP is enabled')
    }
    if (number.calling.status !== 'ENABLED') {
      throw new GraphFailure(401, 138000, 'Calling is not enabled on the phone number')
    }
    throw invalid('This simulator has calls by SIP only')
  }

  const graph = (handler: Handler) => async (request: FastifyRequest, reply: FastifyReply) => {
    if (modes.dialect === '360dialog') throw new GraphFailure(404, 100, 'Unknown path')
    const { id } = request.params as { id: string }
    return reply.send(await handler(callerOf(store, bearerOf(request), id), request))
  }
  const dialog360 = (handler: Handler) => async (request: FastifyRequest, reply: FastifyReply) => {
    if (modes.dialect !== '360dialog') throw new GraphFailure(404, 100, 'Unknown path')
    const key = request.headers['d360-api-key']
    return reply.send(await handler(callerOf(store, String(key ?? ''), undefined), request))
  }

  const base = '/:version(^v\\d+\\.\\d+$)/:id'
  server.get(`${base}/settings`, graph(readSettings))
  server.post(`${base}/settings`, graph(writeSettings))
  server.post(`${base}/calls`, graph(refuseCall))
  server.post(
    `${base}/messages`,
    graph(({ number }, { body }) => permissions.message(number, body)),
  )
  server.get(
    `${base}/call_permissions`,
    graph(({ number }, request) => permissions.query(number, queryOf(request))),
  )
  server.get(
    base,
    graph(({ number, app }, request) =>
      numberNode(number, app, String(queryOf(request)['fields'] ?? '')),
    ),
  )
  server.get('/:version(^v\\d+\\.\\d+$)/me/permissions', async (request: FastifyRequest) =>
    permissionsOf(store.lookupByToken(bearerOf(request))?.app),
  )
  server.get('/calling/settings', dialog360(readSettings))
  server.post('/calling/settings', dialog360(writeSettings))
}

/** The token of the Authorization header, or '' without one. */
export function bearerOf(request: FastifyRequest): string {
  return /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? ''
}

function callerOf(store: SimulatorStore, token: string, id: string | undefined): Caller {
  const caller = store.lookupByToken(token, id)
  if (caller) return caller
  if (!store.lookupByToken(token)) throw new GraphFailure(401, 190, 'Invalid OAuth access token')
  throw new GraphFailure(
    400,
    100,
    `Unsupported request. Object with ID '${id}' does not exist or cannot be loaded due to missing permissions`,
    33,
  )
}

function queryOf(request: FastifyRequest): JsonObject {
  return isObject(request.query) ? request.query : {}
}
