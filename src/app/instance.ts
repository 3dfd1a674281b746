import { type Bridge, createBridge, DrachtioPort } from '../bridge/index.ts'
import { CallRegistry } from '../calls/index.ts'
import type { LoadResult } from '../config/index.ts'
import type { Config } from '../config/types.ts'
import { type HttpServer, type Operations, type ReloadResult, startHttp } from '../http/index.ts'
import type { MediaRelay } from '../media/index.ts'
import { type Clock, systemClock } from '../shared/clock.ts'
import { adjustLogger, type Logger } from '../shared/log.ts'
import { type Random, systemRandom } from '../shared/random.ts'
import { CallRecords } from './call-records.ts'
import { Calling } from './calling.ts'
import { callingNews } from './calling-news.ts'
import { CertificateWatch } from './certificate-watch.ts'
import { Events } from './events.ts'
import { MediaWatch } from './media-watch.ts'
import { InstanceWatch } from './metrics/instance-watch.ts'
import { operationsOf } from './operations.ts'
import { openRecordsOrMemory, type Records } from './records.ts'
import { startRelay } from './relay.ts'
import { numbersChanged } from './reload.ts'
import { Reloader } from './reloader.ts'
import { Rotations } from './rotations.ts'
import { NumberSettings } from './settings.ts'
import { type SipServerHandle, startSipServer } from './sip-server.ts'
import { stuckPart } from './stuck.ts'
import { openSpans, type Spans } from './telemetry.ts'
import { Tracing } from './tracing.ts'
import { verifyFiles } from './verify.ts'
import { Webhooks } from './webhooks.ts'

/** What an instance is started with. */
export interface InstanceOptions {
  config: Config
  version: string
  log: Logger
  /** Reads the configuration again for a reload. @throws ConfigErrors */
  load: () => LoadResult
  /** Told when a reload begins and when it has ended. */
  onReload?: (event: 'begun' | 'ended', result?: ReloadResult) => void
  clock?: Clock
  random?: Random
}

/** Where a running instance listens. */
export interface InstanceAddresses {
  http: { host: string; port: number }
  sip: SipServerHandle['listen']
}

/**
 * A running Causeway: SIP server, bridge, settings and HTTP wired together. It implements what the
 * HTTP interface may do, and is what `causeway up` and the demo start.
 */
export class Instance {
  readonly calls: CallRegistry
  readonly settings: NumberSettings
  /** Permissions and call policy; takes the webhooks' news of them. */
  readonly calling: Calling
  readonly webhooks: Webhooks
  readonly operations: Operations
  readonly #log: Logger
  readonly #sip: SipServerHandle
  readonly #media: MediaRelay
  readonly #watch: MediaWatch
  readonly #counts: InstanceWatch
  readonly #events: Events
  readonly #tracing: Tracing
  readonly #bridge: Bridge
  readonly #records: Records
  readonly #callRecords: CallRecords
  readonly #rotations: Rotations
  readonly #certificates: CertificateWatch
  readonly #reloader: Reloader
  #spans: Spans | undefined
  #config: Config
  #http: HttpServer | undefined
  #stopping: Promise<void> | undefined

  private constructor(
    options: InstanceOptions,
    sip: SipServerHandle,
    parts: { clock: Clock; random: Random; media: MediaRelay },
  ) {
    const { config, log } = options
    const { clock, random, media } = parts
    this.#log = log
    this.#config = config
    this.#sip = sip
    this.calls = new CallRegistry(clock)
    this.#media = media
    this.#watch = new MediaWatch(this.calls, clock)
    this.#counts = new InstanceWatch(this.calls, () => this.#config)
    const { graph: meter, numbers } = this.#counts
    this.#records = openRecordsOrMemory(config.records, { clock, random, log })
    const { vault, rotations: store } = this.#records
    const journal = numbers.counting(this.#records.journal)
    this.#callRecords = new CallRecords({ config, calls: this.calls, clock, random, log })
    const listenPort = sip.listen.whatsapp.port
    this.settings = new NumberSettings({
      clock,
      random,
      log,
      listenPort,
      journal,
      vault,
      meter,
      busy: (name) => this.#rotations.busy(name),
    })
    this.#rotations = new Rotations({
      clock,
      random,
      log,
      store,
      journal,
      listenPort,
      meter,
      config: () => this.#config,
      calls: (name) => this.calls.activeOf(name),
      hold: (name, ms) => this.#bridge.holdNumber(name, ms),
      release: (name) => this.#bridge.releaseNumber(name),
      idle: (name) => this.settings.idle(name),
      learn: (name, settings) => this.settings.learn(name, settings),
      check: (name) => this.settings.check(name, 'api'),
    })
    const present = (): Config => this.#config
    this.calling = new Calling({
      config: present,
      settings: (name) => this.settings.state(name),
      calls: this.calls,
      meter,
      clock,
      random,
      log,
    })
    this.#events = new Events({ config: present, calls: this.calls, clock, random, log })
    this.#tracing = new Tracing({ config: present, calls: this.calls, sip, clock, log })
    this.settings.onChange((name, state) => this.#events.onSettings(name, state))
    this.settings.onChange((name, state) => numbers.looked(name, state))
    this.webhooks = new Webhooks({
      config: present,
      calls: this.calls,
      check: (name) => this.settings.check(name, 'webhook'),
      stored: this.#callRecords,
      publisher: this.#events.publisher,
      clock,
      log,
    })
    this.webhooks.consumers.add(callingNews(this.calling, clock))
    this.#bridge = createBridge({
      port: new DrachtioPort(sip.admin),
      config,
      listeners: sip.listen,
      credentials: this.settings,
      media: this.#media,
      calls: this.calls,
      gate: this.calling,
      registrations: this.#records.registrations,
      keepsFlows: sip.keepsFlows,
      clock,
      random,
      log,
    })
    this.#certificates = new CertificateWatch({ listeners: () => sip.listeners(), clock, log })
    sip.onFlowEnded((ended) => this.#bridge.flowEnded(ended))
    this.#reloader = new Reloader({
      config: present,
      load: options.load,
      verify: verifyFiles,
      apply: (config, before) => this.#take(config, before),
      onReload: options.onReload,
      clock,
      log,
    })
    this.operations = operationsOf({
      version: options.version,
      config: present,
      clock,
      calls: this.calls,
      settings: this.settings,
      calling: this.calling,
      webhooks: this.webhooks,
      sip,
      media,
      watch: this.#watch,
      counts: this.#counts,
      events: this.#events,
      tracing: this.#tracing,
      spans: () => this.#spans,
      bridge: this.#bridge,
      records: this.#records,
      callRecords: this.#callRecords,
      rotations: this.#rotations,
      reloader: this.#reloader,
    })
  }

  /**
   * Starts everything. Resolves when calls can be taken; the settings of numbers go on in the
   * background ({@link NumberSettings.settled}), so that one that cannot be reached stops nobody.
   *
   * @throws CausewayError of a listener, certificate or HTTP address that cannot be used
   */
  static async start(options: InstanceOptions): Promise<Instance> {
    const clock = options.clock ?? systemClock
    const random = options.random ?? systemRandom
    const { config, log } = options
    const media = await startRelay(config.media, { clock, random, log })
    let sip: SipServerHandle
    try {
      sip = await startSipServer(config, { clock, random, log })
    } catch (error) {
      await media.close()
      throw error
    }
    const instance = new Instance(options, sip, { clock, random, media })
    try {
      const { version } = options
      instance.#spans = await openSpans(config, { version, calls: instance.calls, clock, log })
      await instance.#bridge.start()
      instance.#certificates.start()
      instance.#http = await startHttp({
        operations: instance.operations,
        token: () => instance.#config.http.token,
        webhooks: instance.webhooks.door,
        log,
        ...config.http.listen,
      })
      instance.#rotations.resumeAll()
      instance.settings.configure(config)
    } catch (error) {
      await instance.stop()
      throw error
    }
    return instance
  }

  get addresses(): InstanceAddresses {
    const http = this.#http?.address ?? this.#config.http.listen
    return { http, sip: this.#sip.listen }
  }

  /** Refuses new calls and resolves when the last has ended, or was ended after `ms`. */
  drain(ms: number): Promise<void> {
    return this.#bridge.drain(ms)
  }

  /** Ends what is left and closes every socket. Idempotent. */
  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      await this.#reloader.stop()
      // A rotation that waits for calls must not take their end for its turn.
      const rotations = this.#rotations.stop()
      await this.#bridge.stop()
      this.#watch.stop()
      this.#certificates.stop()
      this.#counts.stop()
      await rotations
      await this.calling.stop()
      await this.#http?.close()
      this.webhooks.stop()
      await Promise.all([this.settings.stop(), this.#media.close()])
      await this.#events.stop()
      await this.#tracing.stop()
      await this.#spans?.stop()
      await this.#sip.close()
      await this.#callRecords.close()
      this.#records.close()
    })()
    return this.#stopping
  }

  /** Takes a changed configuration; a bad file changes nothing, calls are never touched. */
  reload(): Promise<ReloadResult> {
    return this.#reloader.reload()
  }

  /** Why the parts that only a restart brings back do not work; undefined while they do. */
  async stuck(): Promise<string | undefined> {
    return stuckPart(this.#sip, this.#media)
  }

  async #take(config: Config, before: Config): Promise<void> {
    this.#config = config
    adjustLogger(this.#log, config.log)
    this.#bridge.reconfigure(config)
    this.#media.reconfigure?.(config.media.externalAddress)
    this.#events.configure()
    this.#tracing.configure()
    if (numbersChanged(before, config)) this.settings.configure(config)
    else void this.settings.resume()
    await this.#sip.configure(config)
  }
}
