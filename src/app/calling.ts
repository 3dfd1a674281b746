import type { OutboundGate as BridgeGate } from '../bridge/index.ts'
import type { Call, CallRecord, CallRegistry, PermissionFacts } from '../calls/index.ts'
import type { Config, NumberConfig, TrunkConfig } from '../config/types.ts'
import type { HealthCheck, MetricFamily, Sample } from '../http/index.ts'
import {
  type AccountEvent,
  AccountEvents,
  BUSINESS_RESTRICTED,
  type CallOutcome,
  createPermissionClient,
  iso,
  type NumberCount,
  type NumberStanding,
  OutboundGate,
  OutcomeWatch,
  PermissionBook,
  type PermissionClient,
  type PermissionReply,
  restrictionsNow,
} from '../permissions/index.ts'
import type { Fetch, GraphMeter, NumberSettingsState } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import { definitionOf, type ErrorCode } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { counter, gauge, one } from './metrics/families.ts'

/** Milliseconds for one request of a permission check; the call waits for less. */
const TIMEOUT = 5000

/** What calling works with. */
export interface CallingOptions {
  /** The configuration now; `whatsapp` of it stays as it was at the start. */
  config: () => Config
  settings: (number: string) => NumberSettingsState | undefined
  calls: CallRegistry
  clock: Clock
  random: Random
  log: Logger
  /** Counts the requests to the Graph API. */
  meter?: GraphMeter
  /** Replaces the HTTP client, for tests. */
  fetch?: Fetch
}

/**
 * Everything that decides on and learns from business-initiated calls beside SIP: permissions, call hours,
 * restrictions, unanswered streaks. Lives as long as the instance, so that a reload forgets nothing.
 */
export class Calling implements BridgeGate {
  readonly #options: CallingOptions
  readonly #book: PermissionBook
  readonly #gate: OutboundGate
  readonly #outcomes: OutcomeWatch
  readonly #events: AccountEvents
  readonly #unsubscribe: () => void
  #client: PermissionClient | undefined

  constructor(options: CallingOptions) {
    const { clock, log, calls } = options
    this.#options = options
    this.#events = new AccountEvents(clock)
    this.#book = new PermissionBook(clock, () => this.#connect())
    this.#outcomes = new OutcomeWatch({ clock, log, book: this.#book })
    const standing = (number: NumberConfig): NumberStanding => this.#standing(number)
    this.#gate = new OutboundGate({ clock, log, book: this.#book, standing })
    this.#unsubscribe = calls.subscribe({
      changed: (call) => this.#onChanged(call),
      ended: (record) => this.#onEnded(record),
    })
  }

  admit(number: NumberConfig, trunk: TrunkConfig, consumer: string) {
    return this.#gate.admit(number, trunk, consumer)
  }

  permission(
    number: NumberConfig,
    trunk: TrunkConfig,
    consumer: string,
  ): PermissionFacts | undefined {
    if (trunk.permissions.mode === 'off') return undefined
    const known = this.#book.known(number, consumer)
    return { status: known?.status, expiresAt: known?.expires }
  }

  /** Takes a consumer's reply, or an automatic change, out of a webhook; false when it is no news. */
  applyReply(reply: PermissionReply): boolean {
    const news = this.#book.apply(reply)
    if (news && reply.response === 'accept') {
      this.#outcomes.onGranted(reply.phoneNumberId, reply.consumers)
    }
    return news
  }

  /**
   * Takes a quality event out of an `account_update` webhook; false when it is no news. An event that names no
   * number is about the one that is configured; with several it warns of all and refuses none of their calls.
   */
  applyAccountEvent(event: AccountEvent): boolean {
    const { numbers } = this.#options.config()
    const only = numbers.length === 1 ? numbers[0]!.phoneNumber : undefined
    const phoneNumber = event.phoneNumber ?? only
    if (!this.#events.apply({ ...event, phoneNumber })) return false
    const { kind, type, remediation } = event
    const code = kind === 'violation' ? 'PERMISSION_QUALITY' : codeOf(type)
    const digits = phoneNumber?.replace(/\D/g, '')
    const number = numbers.find((one) => one.phoneNumber.slice(1) === digits)?.name
    this.#options.log.warn({ code, number, type, remediation }, 'calling quality')
    return true
  }

  /** A warning for each number that is restricted, warned of, or that few consumers answer. */
  checks(): HealthCheck[] {
    return this.#options.config().numbers.flatMap((number) => {
      const outputs = [...this.#restricted(number), ...this.#warned(number), ...this.#low(number)]
      if (outputs.length === 0) return []
      const output = outputs.map((text) => text.replace(/\.?$/, '.')).join(' ')
      return [{ component: 'calling', id: number.name, status: 'warn', output, ready: true }]
    })
  }

  metrics(): MetricFamily[] {
    const by = (label: string, counts: readonly NumberCount[]): Sample[] =>
      counts.map(({ number, what, count }) => ({
        labels: { number, [label]: what },
        value: count,
      }))
    const pickups = this.#options.config().numbers.flatMap(({ name }) => {
      const { calls, answered } = this.#outcomes.pickup(name)
      return calls === 0 ? [] : [{ labels: { number: name }, value: answered / calls }]
    })
    return [
      counter(
        'permission_checks',
        'Permission checks before business-initiated calls, by result.',
        by('result', this.#gate.checks),
      ),
      counter(
        'permission_requests',
        'Permission request messages, by result.',
        by('result', this.#book.requests),
      ),
      counter(
        'unanswered_streaks',
        'Consumers who left several calls in a row unanswered, by stage.',
        by('stage', this.#outcomes.stages),
      ),
      gauge('pickup_ratio', 'Share of business-initiated calls answered in 24 hours.', pickups),
      gauge(
        'permissions_cached',
        'Consumers whose permission is remembered.',
        one(this.#book.size),
      ),
    ]
  }

  async stop(): Promise<void> {
    this.#unsubscribe()
    await this.#client?.close()
  }

  #connect(): PermissionClient {
    const { clock, random, log, config, fetch, meter } = this.#options
    const { whatsapp } = config()
    this.#client ??= createPermissionClient({
      whatsapp,
      clock,
      random,
      log,
      timeout: TIMEOUT,
      attempts: 2,
      ...(fetch ? { fetch } : {}),
      ...(meter ? { meter } : {}),
    })
    return this.#client
  }

  #standing({ name, phoneNumber }: NumberConfig): NumberStanding {
    const { actual, status, lastChecked } = this.#options.settings(name) ?? {}
    const readAt = status === 'ok' || status === 'drift' ? lastChecked : undefined
    const told = this.#events.restrictions(phoneNumber, readAt)
    const read = actual?.restrictions ?? []
    return {
      restrictions: told.length === 0 ? read : [...read, ...told],
      call_hours: actual?.call_hours,
    }
  }

  #restricted(number: NumberConfig): string[] {
    const { restrictions } = this.#standing(number)
    return restrictionsNow(restrictions, this.#options.clock.now()).map(({ type, expiration }) => {
      const code = codeOf(type)
      const { summary, fix } = definitionOf(code)
      const until = expiration === undefined ? '' : ` until ${iso(expiration * 1000)}`
      return `${code}: ${summary} (${type})${until}; ${fix}`
    })
  }

  #warned({ phoneNumber }: NumberConfig): string[] {
    const { fix } = definitionOf('PERMISSION_QUALITY')
    return this.#events
      .of(phoneNumber)
      .filter(({ kind, named }) => kind === 'violation' || !named)
      .map(({ type, named, at, remediation }) => {
        const whose = named ? '' : ' for a number of the account'
        return `PERMISSION_QUALITY: ${type}${whose} at ${iso(at)}; ${remediation ?? fix}`
      })
  }

  #low({ name }: NumberConfig): string[] {
    const { low, calls, answered } = this.#outcomes.pickup(name)
    if (!low) return []
    const { fix } = definitionOf('PERMISSION_PICKUP_LOW')
    return [`PERMISSION_PICKUP_LOW: ${answered} of ${calls} calls were answered; ${fix}`]
  }

  #onChanged(call: Call): void {
    if (call.state !== 'answered') return
    const facts = this.#facts(call)
    if (!facts) return
    if (call.direction === 'user-initiated') this.#outcomes.onUserCall(facts)
    else this.#outcomes.onBusinessCall(facts, 'answered')
  }

  #onEnded(record: CallRecord): void {
    if (record.direction !== 'business-initiated' || record.answeredAt !== undefined) return
    const outcome = outcomeOf(record)
    const facts = outcome && this.#facts(record)
    if (facts) this.#outcomes.onBusinessCall(facts, outcome)
  }

  #facts({ number: name, consumer }: { number: string; consumer: string }) {
    const number = this.#options.config().numbers.find((one) => one.name === name)
    return number && { number: name, phoneNumberId: number.phoneNumberId, consumer }
  }
}

/** The code of a restriction: only that on business-initiated calls refuses some here. */
function codeOf(type: string): ErrorCode {
  return type === BUSINESS_RESTRICTED ? 'CALL_WHATSAPP_PAUSED' : 'SETTINGS_RESTRICTED'
}

/**
 * What a call that was not answered means for the permission; undefined: nothing. One the PBX took back
 * while it rang is a missed call on the consumer's phone like any other.
 */
function outcomeOf({ cause, ringingAt, ladder }: CallRecord): CallOutcome | undefined {
  switch (cause?.code) {
    case 'CALL_WHATSAPP_UNAVAILABLE':
    case 'CALL_WHATSAPP_DECLINED':
      return 'missed'
    case 'CALL_CANCELLED':
    case 'CALL_DRAINED':
    case 'CALL_ENDED_BY_OPERATOR':
      return ringingAt === undefined ? undefined : 'missed'
    case 'CALL_WHATSAPP_NO_PERMISSION':
      // Our own refusal came out of what is known; only WhatsApp's says that it is wrong.
      return ladder.some(({ leg }) => leg === 'whatsapp') ? 'no-permission' : undefined
    case 'CALL_WHATSAPP_DAILY_LIMIT':
      return ladder.some(({ leg }) => leg === 'whatsapp') ? 'limit' : undefined
    default:
      return undefined
  }
}
