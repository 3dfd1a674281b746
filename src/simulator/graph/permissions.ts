import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { metadataOf } from '../call-book.ts'
import { withoutPlus } from '../party.ts'
import type { SimulatedNumber, SimulatorStore } from '../store.ts'
import { GraphFailure, invalid } from './failure.ts'
import { isObject, type JsonObject } from './values.ts'

/** How a consumer answers a permission request. */
export interface PermissionReply {
  response: 'accept' | 'reject'
  /** Default false: a temporary permission. */
  permanent?: boolean
  /** Milliseconds until the reply; default 0. */
  delay?: number
}

/** Decides the answer to a permission request; undefined: the consumer never answers. */
export type PermissionScript = (request: {
  number: SimulatedNumber
  consumer: string
  wamid: string
}) => PermissionReply | undefined

export interface PermissionsApi {
  /** `GET …/call_permissions` */
  query(number: SimulatedNumber, query: JsonObject): Record<string, unknown>
  /** `POST …/messages`; permission requests are counted and answered, others just taken. */
  message(number: SimulatedNumber, body: unknown): Record<string, unknown>
  setScript(script: PermissionScript): void
}

/** Queries of one second; the newest prose says 100, an older page 5. */
const QUERIES_PER_SECOND = 100

/** The permission endpoints: state with limits, request message, scripted reply webhook. */
export function createPermissionsApi(options: {
  store: SimulatorStore
  clock: Clock
  random: Random
  script: PermissionScript
}): PermissionsApi {
  const { store, clock, random } = options
  let { script } = options
  let window = { second: 0, count: 0 }

  function countQuery(): void {
    const second = Math.floor(clock.now() / 1000)
    window = { second, count: window.second === second ? window.count + 1 : 1 }
    if (window.count > QUERIES_PER_SECOND) {
      throw new GraphFailure(429, 613, 'Too many call permission queries in one second')
    }
  }

  function answer(number: SimulatedNumber, consumer: string, wamid: string): void {
    const reply = script({ number, consumer, wamid })
    if (!reply) return
    clock.setTimeout(() => {
      const accepted = reply.response === 'accept'
      const permanent = reply.permanent ?? false
      const granted = accepted ? store.grantPermission(number, consumer, permanent) : undefined
      if (!accepted) store.revokePermission(number, consumer)
      const expiry = granted?.expirationTime
      store.emitWebhook({
        number,
        field: 'messages',
        value: {
          messaging_product: 'whatsapp',
          metadata: metadataOf(number),
          contacts: [{ profile: { name: consumer }, wa_id: consumer }],
          messages: [
            {
              context: { from: number.digits, id: wamid },
              from: consumer,
              id: newWamid(random),
              timestamp: String(Math.floor(clock.now() / 1000)),
              type: 'interactive',
              interactive: {
                type: 'call_permission_reply',
                call_permission_reply: {
                  response: reply.response,
                  ...(accepted ? { is_permanent: permanent } : {}),
                  ...(expiry === undefined ? {} : { expiration_timestamp: expiry }),
                  response_source: 'user_action',
                },
              },
            },
          ],
        },
      })
    }, reply.delay ?? 0)
  }

  function request(number: SimulatedNumber, consumer: string, wamid: string): void {
    requireCalling(number)
    if (!number.businessInitiatedAllowed) {
      throw new GraphFailure(400, 138013, 'Business-initiated calling is unavailable here')
    }
    if (isPaused(number)) throw new GraphFailure(400, 138014, 'Business calling is paused')
    if (store.permission(number, consumer).status === 'permanent') {
      throw new GraphFailure(400, 138017, 'The user has already granted permanent permission')
    }
    if (!store.countPermissionRequest(number, consumer)) {
      throw new GraphFailure(400, 138009, 'Too many call permission requests to this user')
    }
    answer(number, consumer, wamid)
  }

  return {
    query(number, query) {
      countQuery()
      requireCalling(number)
      const party = query['user_wa_id'] ?? query['recipient']
      if (typeof party !== 'string' || party === '') throw invalid('user_wa_id is required')
      const permission = store.permission(number, party)
      const limits = store.limits(number, party)
      const free = (views: { current_usage: number; max_allowed: number }[]): boolean =>
        !isPaused(number) && views.every((view) => view.current_usage < view.max_allowed)
      return {
        messaging_product: 'whatsapp',
        permission: {
          status: permission.status,
          ...(permission.expirationTime === undefined
            ? {}
            : { expiration_time: permission.expirationTime }),
        },
        actions: [
          {
            action_name: 'send_call_permission_request',
            can_perform_action: permission.status !== 'permanent' && free(limits.requests),
            limits: limits.requests,
          },
          {
            action_name: 'start_call',
            can_perform_action: permission.status !== 'no_permission' && free(limits.calls),
            limits: limits.calls,
          },
        ],
      }
    },
    message(number, body) {
      if (!isObject(body) || body['messaging_product'] !== 'whatsapp') {
        throw invalid('messaging_product must be whatsapp')
      }
      const party = body['to'] ?? body['recipient']
      if (typeof party !== 'string' || party === '') throw invalid('to is required')
      const consumer = withoutPlus(party)
      const wamid = newWamid(random)
      if (isPermissionRequest(body)) request(number, consumer, wamid)
      return {
        messaging_product: 'whatsapp',
        contacts: [{ input: party, wa_id: consumer }],
        messages: [{ id: wamid }],
      }
    },
    setScript(next) {
      script = next
    },
  }
}

/**
 * An interactive request, or a template: what a template asks is part of its definition, and this simulator
 * keeps no definitions. Every template stands for one with a call permission request.
 */
function isPermissionRequest(body: JsonObject): boolean {
  const { interactive, template } = body
  if (isObject(interactive) && interactive['type'] === 'call_permission_request') {
    const action = isObject(interactive['action']) ? interactive['action'] : {}
    if (action['name'] !== 'call_permission_request') throw invalid('Invalid interactive action')
    if (interactive['header'] ?? interactive['footer']) {
      throw invalid('A call permission request has neither header nor footer')
    }
    return true
  }
  if (!isObject(template)) return false
  const language = isObject(template['language']) ? template['language'] : {}
  if (typeof template['name'] !== 'string' || template['name'] === '') {
    throw invalid('template.name is required')
  }
  if (typeof language['code'] !== 'string') throw invalid('template.language.code is required')
  return true
}

function requireCalling(number: SimulatedNumber): void {
  if (number.calling.status !== 'ENABLED') {
    throw new GraphFailure(401, 138000, 'Calling is not enabled on the phone number')
  }
}

function isPaused(number: SimulatedNumber): boolean {
  return number.restrictions.some(({ type }) => type === 'RESTRICTED_BUSINESS_INITIATED_CALLING')
}

function newWamid(random: Random): string {
  return `wamid.${random.bytes(36).toString('base64')}`
}
