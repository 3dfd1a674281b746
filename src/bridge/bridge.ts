import type { Call, CallRecord, CallRegistry } from '../calls/index.ts'
import type { Config } from '../config/types.ts'
import type { CallMediaReport, MediaRelay } from '../media/index.ts'
import type { CredentialSource } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError, definitionOf } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { Notices } from '../shared/notices.ts'
import type { Random } from '../shared/random.ts'
import { Directory, type Listeners, type Side } from './admit/directory.ts'
import { Door } from './admit/door.ts'
import { CallRate } from './admit/limits.ts'
import { type OutboundGate, openGate } from './admit/outbound.ts'
import { CallLogs, callFields } from './call-log.ts'
import type { BridgeContext } from './context.ts'
import { type DigestCount, DigestCounters } from './digest/counters.ts'
import { NonceSource } from './digest/nonce.ts'
import { NonceCache } from './digest/nonce-cache.ts'
import { Drain } from './drain.ts'
import type { EndedFlow } from './ended-flow.ts'
import { NumberHold } from './number-hold.ts'
import { type ContactsStatus, Registrar } from './registrar/registrar.ts'
import { memoryStore, type RegistrationStore } from './registrar/store.ts'
import { Registrations } from './registration/registrations.ts'
import type { RegistrationStatus } from './registration/status.ts'
import type { IncomingRequest, SipPort, SipPortEvents } from './sip-port.ts'
import { answerStray } from './stray.ts'
import { healthLog } from './trunks/health-log.ts'
import { Pinger } from './trunks/pinger.ts'
import {
  type TargetStatus,
  type TrunkStatus,
  targetStatuses,
  trunkStatuses,
} from './trunks/status.ts'
import { TargetHealth } from './trunks/target-health.ts'

/** What a bridge works with. */
export interface BridgeOptions {
  port: SipPort
  config: Config
  /** The SIP server's listening addresses; those configured when absent. */
  listeners?: Listeners
  credentials: CredentialSource
  media: MediaRelay
  calls: CallRegistry
  /** Decides whether a call may leave to WhatsApp; every call when absent. */
  gate?: OutboundGate
  /** What registrations are remembered in over a restart; nothing when absent. */
  registrations?: RegistrationStore
  /** Whether the SIP server pings the connections of registrations, and {@link Bridge.flowEnded} is called. */
  keepsFlows?: boolean
  clock: Clock
  random: Random
  log: Logger
}

/** The bridge as others see it. */
export interface BridgeStatus {
  /** Whether the SIP server is connected. */
  connected: boolean
  draining: boolean
  /** The SIP server's listening addresses, `proto/addr:port`. */
  endpoints: readonly string[]
  /** Calls in progress. */
  calls: number
  /** Entries of the tables calls live in, media sessions on their way out: none without calls. */
  held: { dialogs: number; flows: number; releasing: number }
  /** INVITEs that did not become calls, by side and code. */
  refusals: readonly { side: Side; code: string; count: number }[]
  /** The targets of all trunks, and what is thought of each. */
  targets: readonly TargetStatus[]
  /** Figures of each trunk. */
  trunks: readonly TrunkStatus[]
}

/** Registrations in both directions. */
export interface RegistrationsStatus {
  /** Ours with PBXs. */
  ours: readonly RegistrationStatus[]
  /** Contacts of the PBXs that registered here, by trunk that allows it. */
  contacts: readonly ContactsStatus[]
  /** REGISTERs of PBXs by trunk ('' before it is known) and result. */
  requests: readonly { trunk: string; result: string; count: number }[]
}

/** The drachtio-srf application: relays calls between WhatsApp and the PBX. */
export interface Bridge {
  /** Connects to the SIP server; resolves when it is connected the first time. */
  start(): Promise<void>
  /** Refuses new calls; resolves when the last call has ended, or has been ended after `ms`. */
  drain(ms: number): Promise<void>
  /** Takes calls again. */
  undrain(): void
  /**
   * Refuses new calls of one number; resolves when none of its calls is left, or after `ms`. Calls in
   * progress go on in either case.
   */
  holdNumber(number: string, ms: number): Promise<void>
  /** Takes calls of the number again. */
  releaseNumber(number: string): void
  /** Takes a new configuration for calls to come. */
  reconfigure(config: Config): void
  /** Hangs up a call; false when there is none with this id. */
  hangUp(callId: string): boolean
  /**
   * Figures of a call's media: as it stands, or the last ones of an ended call. Undefined for an
   * unknown call and where the relay sees no packets.
   */
  mediaReport(callId: string): Promise<CallMediaReport | undefined>
  status(): BridgeStatus
  /** What became of digests, ours and theirs. */
  digests(): readonly DigestCount[]
  registrations(): RegistrationsStatus
  /** Takes the news that a connection has ended which registrations hung on. */
  flowEnded(ended: EndedFlow): void
  /** Ends what is left and disconnects. */
  stop(): Promise<void>
}

/** Makes a bridge; nothing happens before {@link Bridge.start}. */
export function createBridge(options: BridgeOptions): Bridge {
  return new SrfBridge(options)
}

class SrfBridge implements Bridge, SipPortEvents {
  readonly #ctx: BridgeContext
  readonly #door: Door
  readonly #drain: Drain
  readonly #hold: NumberHold
  readonly #pinger: Pinger
  readonly #listeners: Listeners
  readonly #refusals = new Map<string, { side: Side; code: string; count: number }>()
  #endpoints: readonly string[] = []
  #connected = false
  #onFirstConnect: (() => void) | undefined
  #unsubscribe: (() => void) | undefined

  constructor(options: BridgeOptions) {
    const { config, clock, random } = options
    this.#listeners = options.listeners ?? config.sip.listen
    const store = options.registrations ?? memoryStore(random)
    const nonces = new NonceSource(clock, random)
    const { port, log } = options
    const directory = (): Directory => this.#ctx.directory
    const notices = new Notices(log, clock)
    const registrar = new Registrar(store, { clock, log, notices, nonces, directory })
    this.#ctx = {
      port: options.port,
      calls: options.calls,
      credentials: options.credentials,
      media: options.media,
      clock,
      random,
      log: options.log,
      notices,
      digests: new DigestCounters(),
      logs: new CallLogs(options.log),
      nonces,
      registrar,
      registrations: new Registrations(store.installation(), {
        port,
        clock,
        random,
        log,
        keepsFlows: options.keepsFlows ?? false,
      }),
      reuse: new NonceCache(clock),
      targets: new TargetHealth(clock, random, {
        changed: healthLog(log, (uri) => this.#trunksOf(uri)),
        dead: (uri) => this.#targetDown(uri),
        registered: (trunk) => registrar.targets(trunk),
      }),
      rate: new CallRate(clock, config.limits.invitesPerSecond),
      gate: options.gate ?? openGate,
      flows: new Map(),
      dialogs: new Map(),
      releasing: new Set(),
      directory: new Directory(config, this.#listeners),
      heldNumbers: new Set(),
      draining: false,
    }
    this.#door = new Door(this.#ctx, (side, code) => this.#countRefusal(side, code))
    this.#drain = new Drain(this.#ctx)
    this.#hold = new NumberHold(this.#ctx)
    this.#pinger = new Pinger(this.#ctx)
  }

  start(): Promise<void> {
    this.#unsubscribe = this.#ctx.calls.subscribe({
      started: (call) => this.#logStart(call),
      ended: (record) => this.#logEnd(record),
    })
    this.#pinger.configure(this.#ctx.directory.config.trunks)
    this.#ctx.registrar.start()
    return new Promise((resolve) => {
      this.#onFirstConnect = resolve
      this.#ctx.port.start(this)
      this.#ctx.registrations.configure(this.#ctx.directory.config)
    })
  }

  drain(ms: number): Promise<void> {
    return this.#drain.begin(ms)
  }

  undrain(): void {
    this.#drain.cancel()
  }

  holdNumber(number: string, ms: number): Promise<void> {
    return this.#hold.begin(number, ms)
  }

  releaseNumber(number: string): void {
    this.#hold.end(number)
  }

  reconfigure(config: Config): void {
    this.#ctx.directory = new Directory(config, this.#listeners)
    this.#pinger.configure(config.trunks)
    this.#ctx.registrations.configure(config)
    this.#ctx.registrar.reconfigured()
  }

  hangUp(callId: string): boolean {
    const flow = this.#ctx.flows.get(callId)
    flow?.hangUp(new CausewayError('CALL_ENDED_BY_OPERATOR'))
    return flow !== undefined
  }

  async mediaReport(callId: string): Promise<CallMediaReport | undefined> {
    const flow = this.#ctx.flows.get(callId)
    return flow ? flow.media.query() : this.#ctx.calls.record(callId)?.report
  }

  status(): BridgeStatus {
    const { dialogs, directory, flows, releasing } = this.#ctx
    const { config } = directory
    return {
      connected: this.#connected,
      draining: this.#ctx.draining,
      endpoints: this.#endpoints,
      calls: this.#ctx.calls.size,
      held: { dialogs: dialogs.size, flows: flows.size, releasing: releasing.size },
      refusals: [...this.#refusals.values()],
      targets: targetStatuses(config.trunks, this.#ctx.targets, this.#pinger),
      trunks: trunkStatuses(config.trunks, this.#ctx.targets, this.#ctx.calls),
    }
  }

  digests(): readonly DigestCount[] {
    return this.#ctx.digests.counts()
  }

  registrations(): RegistrationsStatus {
    const { registrations, registrar } = this.#ctx
    return {
      ours: registrations.status(),
      contacts: registrar.status(),
      requests: registrar.counts(),
    }
  }

  flowEnded(ended: EndedFlow): void {
    this.#ctx.registrations.flowEnded(ended)
    this.#ctx.registrar.flowEnded(ended)
  }

  async stop(): Promise<void> {
    this.#pinger.stop()
    await this.#drain.begin(0)
    await Promise.all(this.#ctx.releasing)
    await this.#ctx.registrations.stop()
    this.#ctx.registrar.stop()
    this.#ctx.port.stop()
    this.#connected = false
    this.#unsubscribe?.()
  }

  onRequest(request: IncomingRequest): void {
    const owner = this.#ctx.dialogs.get(request.dialogId)
    if (owner) owner.onRequest(request)
    else if (request.method === 'INVITE' && !hasTag(request.header('to'))) {
      void this.#door.onInvite(request)
    } else if (!this.#isRegister(request) || !this.#ctx.registrar.onRegister(request)) {
      answerStray(this.#ctx, request)
    }
  }

  onConnected(endpoints: string[]): void {
    const again = this.#endpoints.length > 0
    this.#connected = true
    this.#endpoints = endpoints
    this.#ctx.log.info({ endpoints }, 'SIP server connected')
    // After a gap nobody knows who has hung up meanwhile: the server answered for us, 481.
    if (again) this.#endAll('the connection was lost during the call')
    this.#ctx.registrations.connected()
    this.#onFirstConnect?.()
    this.#onFirstConnect = undefined
  }

  onDisconnected(detail: string): void {
    this.#ctx.log.warn({ detail }, 'no SIP server; connecting again')
    this.#connected = false
    this.#ctx.registrations.disconnected()
    const error = new CausewayError('CALL_SIP_SERVER_LOST', { detail })
    for (const flow of [...this.#ctx.flows.values()]) {
      if (flow.call.state !== 'answered') flow.hangUp(error)
    }
  }

  onFault(error: unknown): void {
    const coded = new CausewayError('CALL_INTERNAL', { cause: error })
    this.#ctx.log.error({ err: coded }, 'a handler failed')
  }

  #isRegister(request: IncomingRequest): boolean {
    return request.method === 'REGISTER' && this.#ctx.directory.sideOf(request) === 'pbx'
  }

  #trunksOf(uri: string): string[] {
    return this.#ctx.directory.config.trunks
      .filter(({ targets }) => targets.some((target) => target.uri === uri))
      .map(({ name }) => name)
  }

  #targetDown(uri: string): void {
    for (const flow of [...this.#ctx.flows.values()]) flow.targetDown?.(uri)
  }

  #endAll(detail: string): void {
    const error = new CausewayError('CALL_SIP_SERVER_LOST', { detail })
    for (const flow of [...this.#ctx.flows.values()]) flow.hangUp(error)
  }

  #countRefusal(side: Side, code: string): void {
    const key = `${side} ${code}`
    const entry = this.#refusals.get(key)
    if (entry) entry.count++
    else this.#refusals.set(key, { side, code, count: 1 })
  }

  #logStart(call: Call): void {
    const { direction, route, business, consumer } = call
    const [from, to] = direction === 'user-initiated' ? [consumer, business] : [business, consumer]
    this.#ctx.logs.of(call).info({ route, from, to }, 'call started')
  }

  #logEnd(record: CallRecord): void {
    const { code, result, owner, sip, text } = record.cause!
    const { talkSeconds } = record
    const facts = { ...callFields(record), code, result, owner, sip, talkSeconds, text }
    const fix = code === 'NORMAL' ? undefined : definitionOf(code).fix
    if (result === 'failed') this.#ctx.log.warn({ ...facts, fix }, 'call ended')
    else this.#ctx.log.info(facts, 'call ended')
  }
}

function hasTag(to: string | undefined): boolean {
  return to !== undefined && /;\s*tag=/i.test(to)
}
