import type { NumberConfig, WhatsAppConfig } from '../config/types.ts'
import { place } from '../settings/dialect.ts'
import { createGraph, type GraphOptions } from '../settings/graph.ts'
import { GraphError } from '../settings/index.ts'
import { isObject, objectsOf, textOf } from '../settings/wire.ts'
import { delay } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { requestBody } from './message.ts'
import { Pacer } from './pacer.ts'
import { parsePermission } from './parse.ts'
import { graphParty } from './party.ts'
import type { CallPermission, RequestMessage } from './types.ts'

/** The permission endpoints of the Graph API, for every number of one configuration. */
export interface PermissionClient {
  /**
   * Reads what a consumer permits. Waits its turn: WhatsApp limits the queries of a second. Rejects with
   * CausewayError.
   */
  query(number: NumberConfig, consumer: string): Promise<CallPermission>
  /**
   * Sends the request message. Repeated only when throttled: a consumer is not asked twice because
   * an answer got lost. Rejects with CausewayError.
   *
   * @returns WhatsApp's ID of the message
   */
  request(
    number: NumberConfig,
    consumer: string,
    message: RequestMessage,
  ): Promise<string | undefined>
  /** Aborts what is under way and closes the connections. */
  close(): Promise<void>
}

/**
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createPermissionClient(options: GraphOptions): PermissionClient {
  const { whatsapp, clock } = options
  const graph = createGraph(options)
  const pacer = new Pacer(clock)

  return {
    async query(number, consumer) {
      const url = endpoint(whatsapp, number, 'call_permissions')
      const { id, scoped } = graphParty(consumer)
      url.searchParams.set(scoped ? 'recipient' : 'user_wa_id', id)
      const wait = pacer.book()
      if (wait > 0) {
        options.meter?.waits('permission_query', wait)
        await delay(clock, wait)
      }
      const answer = await graph
        .request(url, number, undefined, isRepeatable)
        .catch((error: unknown) => {
          if (isThrottling(error)) pacer.throttled(error.retryAfter)
          throw error
        })
      pacer.succeeded()
      const permission = parsePermission(answer)
      if (permission) return permission
      const detail = 'the answer holds no permission state'
      throw new CausewayError('SETTINGS_MALFORMED_RESPONSE', { detail, place: place(number) })
    },
    async request(number, consumer, message) {
      const url = endpoint(whatsapp, number, 'messages')
      const body = JSON.stringify(requestBody(consumer, message))
      const answer = await graph.request(url, number, body, isThrottling)
      const [first = {}] = objectsOf(isObject(answer) ? answer['messages'] : undefined)
      return textOf(first['id'])
    },
    close: () => graph.close(),
  }
}

/** What a 613 asks for is a pause of the line, not a repetition by each who stands in it. */
function isRepeatable(error: GraphError): boolean {
  return error.transient && !isThrottling(error)
}

function isThrottling(error: unknown): error is GraphError {
  return error instanceof GraphError && error.throttling
}

/** @throws PERMISSION_PROVIDER: 360dialog's path is not documented */
function endpoint(whatsapp: WhatsAppConfig, number: NumberConfig, edge: string): URL {
  if (whatsapp.provider === '360dialog') {
    throw new CausewayError('PERMISSION_PROVIDER', { place: place(number) })
  }
  const id = encodeURIComponent(number.phoneNumberId)
  return new URL(`${whatsapp.graphUrl}/${whatsapp.graphVersion}/${id}/${edge}`)
}
