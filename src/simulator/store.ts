import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'
import { createCallBook } from './call-book.ts'
import { withoutPlus } from './party.ts'
import { createPermissionBook, type PermissionLimits } from './permission-book.ts'

/** Meta's spelling of a switch. */
export type Toggle = 'ENABLED' | 'DISABLED'

/** One access of one app to one number. Naming a number twice gives it two apps. */
export interface SimulatedNumberOptions {
  phoneNumberId: string
  /** `+` and digits, or digits. */
  phoneNumber: string
  accessToken: string
  appId: string
  /** Signs the webhooks (X-Hub-Signature-256). */
  appSecret?: string
  /** WhatsApp business account; default derived from the phone number ID. */
  wabaId?: string
  /** Whether the app holds `whatsapp_business_messaging` on the number; default true. */
  messaging?: boolean
}

/** An app that may see the number. */
export interface SimulatedApp {
  appId: string
  accessToken: string
  appSecret: string | undefined
  messaging: boolean
}

/** The SIP server one app stored on a number. */
export interface SimulatedServer {
  appId: string
  hostname: string
  port: number
  requestUriUserParams: Record<string, string>
}

/** The `calling` object of a number as WhatsApp keeps it: one per number, servers per app. */
export interface SimulatedCalling {
  status: Toggle
  /** Undefined until explicitly set; behaves as DTLS. */
  srtp: 'DTLS' | 'SDES' | undefined
  sipStatus: Toggle
  webhookDelivery: Toggle
  /** By app ID. */
  servers: Map<string, SimulatedServer>
  additionalCodecs: ('PCMA' | 'PCMU')[]
  /** Fields without an effect on the simulation, stored as written. */
  other: Record<string, unknown>
}

export interface SimulatedNumber {
  phoneNumberId: string
  /** `+` and digits. */
  phoneNumber: string
  digits: string
  wabaId: string
  /** By app ID. */
  apps: Map<string, SimulatedApp>
  /** SIP password by app ID; made when the app first stores a server, dropped by a rotation. */
  passwords: Map<string, string>
  calling: SimulatedCalling
  /** Daily messaging limit; below 2000 calling cannot be enabled (138015). */
  messagingLimit: number
  /** Quality rating of the number. */
  quality: 'GREEN' | 'YELLOW' | 'RED'
  /** Whether the calls webhook is subscribed; without it or SIP calling cannot start (138018). */
  callsWebhook: boolean
  /** Restrictions in force, as the settings show them. */
  restrictions: {
    type: 'RESTRICTED_BUSINESS_INITIATED_CALLING' | 'RESTRICTED_USER_INITIATED_CALLING'
    reason: string
    /** Unix seconds. */
    expiration: number
  }[]
  /** Business-initiated calling is unavailable in the number's country (138013). */
  businessInitiatedAllowed: boolean
}

/** What the SIP half needs to know of a number's trunk. */
export interface SipTrunkView {
  /** ENABLED only when both calling and SIP are. */
  status: Toggle
  appId: string
  hostname: string
  port: number
  params: Record<string, string>
  password: string
  srtp: 'DTLS' | 'SDES'
  codecs: ('PCMA' | 'PCMU')[]
  /** Whether the app behind the server may use the number (403 otherwise). */
  authorized: boolean
}

export type PermissionStatus = 'no_permission' | 'temporary' | 'permanent'

export interface CallPermission {
  status: PermissionStatus
  /** Unix seconds; temporary permissions only. */
  expirationTime: number | undefined
}

export type CallDirection = 'USER_INITIATED' | 'BUSINESS_INITIATED'

/** A call in progress. */
export interface SimulatedCall {
  wacid: string
  number: SimulatedNumber
  /** Consumer: digits without `+`, or a BSUID. */
  consumer: string
  direction: CallDirection
  /** Milliseconds since the epoch; undefined until connected. */
  connectedAt: number | undefined
}

/** One step in a call's life, told by the SIP half; the store counts and sends the webhooks. */
export type CallEvent =
  | {
      event: 'created'
      wacid: string
      number: SimulatedNumber
      consumer: string
      direction: CallDirection
    }
  | { event: 'connected'; wacid: string }
  | {
      event: 'ended'
      wacid: string
      /** Rejected and unanswered business-initiated calls count towards revocation. */
      outcome: 'completed' | 'rejected' | 'unanswered' | 'failed'
      /** Graph code, title and details of a failure, such as 138021. */
      error?: { code: number; title: string; details?: string }
    }

/** One webhook change on its way to the subscriber. */
export interface WebhookChange {
  number: SimulatedNumber
  field: 'calls' | 'messages' | 'account_settings_update' | 'account_update'
  value: Record<string, unknown>
}

/**
 * What the Graph and SIP halves of the simulator share: numbers with their settings, call
 * permissions with counters, calls in progress and webhooks on their way out. In memory, synchronous.
 */
export interface SimulatorStore {
  readonly numbers: readonly SimulatedNumber[]
  /** By digits, with or without `+`. */
  lookupNumberByPhone(digits: string): SimulatedNumber | undefined
  lookupNumberById(phoneNumberId: string): SimulatedNumber | undefined
  /** The number and app an access token speaks for; `phoneNumberId` undefined: its only number. */
  lookupByToken(
    token: string,
    phoneNumberId?: string,
  ): { number: SimulatedNumber; app: SimulatedApp } | undefined
  /** The trunk of a number: its one server, or with several the first stored. */
  sipServerFor(number: SimulatedNumber): SipTrunkView | undefined
  /** The trunk of a number whose From domain rule fits `domain`: equal or a parent of it. */
  sipServerForDomain(number: SimulatedNumber, domain: string): SipTrunkView | undefined
  /** Password of a number and app; made at the first call. */
  passwordOf(number: SimulatedNumber, appId: string): string
  /** Call permission of a consumer, expiry considered. Consumers as digits, `+`digits or BSUID. */
  permission(number: SimulatedNumber, consumer: string): CallPermission
  grantPermission(number: SimulatedNumber, consumer: string, permanent: boolean): CallPermission
  revokePermission(number: SimulatedNumber, consumer: string): void
  /** Limits and counters as `call_permissions` reports them. */
  limits(number: SimulatedNumber, consumer: string): PermissionLimits
  /** Counts a permission request; false when a limit is reached (138009). */
  countPermissionRequest(number: SimulatedNumber, consumer: string): boolean
  /** Whether another connected business-initiated call is allowed today (138012). */
  mayConnect(number: SimulatedNumber, consumer: string): boolean
  /** Records a step of a call; unknown WACIDs are ignored. */
  recordCall(event: CallEvent): void
  /** The call in progress between a number and a consumer; more than one is refused. */
  activeCall(number: SimulatedNumber, consumer: string): SimulatedCall | undefined
  activeCalls(): readonly SimulatedCall[]
  /** Hands a change to the webhook listeners. */
  emitWebhook(change: WebhookChange): void
  onWebhook(listener: (change: WebhookChange) => void): void
}

export interface StoreOptions {
  numbers: SimulatedNumberOptions[]
  clock: Clock
  random: Random
  /** Relaxed limits of test numbers: 25 and 100 requests, revocation after 10. Default false. */
  testLimits?: boolean
}

/** Builds the shared state of a simulator. */
export function createStore(options: StoreOptions): SimulatorStore {
  const { clock, random } = options
  const numbers = createNumbers(options.numbers)
  const byId = new Map(numbers.map((number) => [number.phoneNumberId, number]))
  const byDigits = new Map(numbers.map((number) => [number.digits, number]))
  const listeners: ((change: WebhookChange) => void)[] = []
  const emitWebhook = (change: WebhookChange): void => {
    for (const listener of listeners) listener(change)
  }
  const permissions = createPermissionBook({ clock, testLimits: options.testLimits ?? false })
  const calls = createCallBook({ clock, permissions, emitWebhook })

  function passwordOf(number: SimulatedNumber, appId: string): string {
    let password = number.passwords.get(appId)
    if (password === undefined) {
      // 32 characters, the length of Meta's generated passwords.
      password = random.hex(16)
      number.passwords.set(appId, password)
    }
    return password
  }

  function view(number: SimulatedNumber, server: SimulatedServer): SipTrunkView {
    const { calling } = number
    const on = calling.status === 'ENABLED' && calling.sipStatus === 'ENABLED'
    return {
      status: on ? 'ENABLED' : 'DISABLED',
      appId: server.appId,
      hostname: server.hostname,
      port: server.port,
      params: server.requestUriUserParams,
      password: passwordOf(number, server.appId),
      srtp: calling.srtp ?? 'DTLS',
      codecs: calling.additionalCodecs,
      authorized: number.apps.get(server.appId)?.messaging ?? false,
    }
  }

  return {
    numbers,
    lookupNumberByPhone: (digits) => byDigits.get(withoutPlus(digits)),
    lookupNumberById: (id) => byId.get(id),
    lookupByToken: (token, id) => findByToken(numbers, token, id),
    sipServerFor(number) {
      const [server] = number.calling.servers.values()
      return server && view(number, server)
    },
    sipServerForDomain(number, domain) {
      for (const server of number.calling.servers.values()) {
        if (fitsDomain(server.hostname, domain)) return view(number, server)
      }
      return undefined
    },
    passwordOf,
    permission: permissions.get,
    grantPermission: permissions.grant,
    revokePermission: permissions.revoke,
    limits: permissions.limits,
    countPermissionRequest: permissions.countRequest,
    mayConnect: permissions.mayConnect,
    recordCall: calls.record,
    activeCall: calls.active,
    activeCalls: calls.all,
    emitWebhook,
    onWebhook: (listener) => void listeners.push(listener),
  }
}

/** From-domain rule: equal to the configured hostname, or a parent domain of it. */
function fitsDomain(hostname: string, domain: string): boolean {
  const host = hostname.toLowerCase()
  const from = domain.toLowerCase()
  return host === from || host.endsWith(`.${from}`)
}

function findByToken(
  numbers: readonly SimulatedNumber[],
  token: string,
  phoneNumberId: string | undefined,
): { number: SimulatedNumber; app: SimulatedApp } | undefined {
  for (const number of numbers) {
    if (phoneNumberId !== undefined && number.phoneNumberId !== phoneNumberId) continue
    for (const app of number.apps.values()) {
      if (app.accessToken === token) return { number, app }
    }
  }
  return undefined
}

function createNumbers(options: SimulatedNumberOptions[]): SimulatedNumber[] {
  const numbers = new Map<string, SimulatedNumber>()
  for (const entry of options) {
    const digits = withoutPlus(entry.phoneNumber)
    let number = numbers.get(entry.phoneNumberId)
    if (!number) {
      number = {
        phoneNumberId: entry.phoneNumberId,
        phoneNumber: `+${digits}`,
        digits,
        wabaId: entry.wabaId ?? `9${entry.phoneNumberId}`,
        apps: new Map(),
        passwords: new Map(),
        calling: freshCalling(),
        messagingLimit: 2000,
        quality: 'GREEN',
        callsWebhook: false,
        restrictions: [],
        businessInitiatedAllowed: true,
      }
      numbers.set(entry.phoneNumberId, number)
    }
    number.apps.set(entry.appId, {
      appId: entry.appId,
      accessToken: entry.accessToken,
      appSecret: entry.appSecret,
      messaging: entry.messaging ?? true,
    })
  }
  return [...numbers.values()]
}

/** Calling settings of a number nobody has touched: everything off. */
function freshCalling(): SimulatedCalling {
  return {
    status: 'DISABLED',
    srtp: undefined,
    sipStatus: 'DISABLED',
    webhookDelivery: 'DISABLED',
    servers: new Map(),
    additionalCodecs: [],
    other: {},
  }
}
