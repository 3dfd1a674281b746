import { type Bridge, createBridge, DrachtioPort } from '../bridge/index.ts'
import { CallRegistry } from '../calls/index.ts'
import { ConfigErrors, type LoadResult } from '../config/index.ts'
import type { Config } from '../config/types.ts'
import { type HttpServer, type Operations, type ReloadResult, startHttp } from '../http/index.ts'
import type { MediaRelay } from '../media/index.ts'
import { type Clock, systemClock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import { type Random, systemRandom } from '../shared/random.ts'
import { Calling } from './calling.ts'
import { callingNews } from './calling-news.ts'
import { Events } from './events.ts'
import { MediaWatch } from './media-watch.ts'
import { operationsOf } from './operations.ts'
import { openRecordsOrMemory, type Records } from './records.ts'
import { startRelay } from './relay.ts'
import { configChanges, numbersChanged } from './reload.ts'
import { Rotations } from './rotations.ts'
import { NumberSettings } from './settings.ts'
import { type SipServerHandle, startSipServer } from './sip-server.ts'
import { reloadedWebhooks, Webhooks } from './webhooks.ts'

/** What an instance is started with. */
export interface InstanceOptions {
  config: Config
  version: string
  log: Logger
  /** Reads the configuration again for a reload. @throws ConfigErrors */
  load: () => LoadResult
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
  readonly #options: InstanceOptions
  readonly #sip: SipServerHandle
  readonly #media: MediaRelay
  readonly #watch: MediaWatch
  readonly #events: Events
  readonly #bridge: Bridge
  readonly #records: Records
  readonly #rotations: Rotations
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
    this.#options = options
    this.#config = config
    this.#sip = sip
    this.calls = new CallRegistry(clock)
    this.#media = media
    this.#watch = new MediaWatch(this.calls, clock)
    this.#records = openRecordsOrMemory(config.records, { clock, random, log })
    const { journal, vault, rotations: store } = this.#records
    const listenPort = sip.listen.whatsapp.port
    this.settings = new NumberSettings({
      clock,
      random,
      log,
      listenPort,
      journal,
      vault,
      busy: (name) => this.#rotations.busy(name),
    })
    this.#rotations = new Rotations({
      clock,
      random,
      log,
      store,
      journal,
      listenPort,
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
      clock,
      random,
      log,
    })
    this.#events = new Events({ config: present, calls: this.calls, clock, random, log })
    this.settings.onChange((name, state) => this.#events.onSettings(name, state))
    this.webhooks = new Webhooks({
      config: present,
      calls: this.calls,
      check: (name) => this.settings.check(name, 'webhook'),
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
      clock,
      random,
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
      events: this.#events,
      bridge: this.#bridge,
      records: this.#records,
      rotations: this.#rotations,
      reload: () => this.reload(),
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
      await instance.#bridge.start()
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
      // A rotation that waits for calls must not take their end for its turn.
      const rotations = this.#rotations.stop()
      await this.#bridge.stop()
      this.#watch.stop()
      await rotations
      await this.calling.stop()
      await this.#http?.close()
      this.webhooks.stop()
      await Promise.all([this.settings.stop(), this.#media.close()])
      await this.#events.stop()
      await this.#sip.close()
      this.#records.close()
    })()
    return this.#stopping
  }

  /** Takes a changed configuration; a bad file changes nothing, calls are never touched. */
  async reload(): Promise<ReloadResult> {
    const { load, log } = this.#options
    let result: LoadResult
    try {
      result = load()
    } catch (error) {
      const errors = error instanceof ConfigErrors ? [...error.errors] : [error]
      log.error({ errors }, 'configuration not reloaded')
      return { ok: false, applied: [], restart: [], errors, warnings: [] }
    }
    const before = this.#config
    const after = result.config
    const changes = configChanges(before, after)
    // Keys that need a restart keep their running values; the rest is taken.
    const whatsapp = {
      ...before.whatsapp,
      challenge: after.whatsapp.challenge,
      sources: after.whatsapp.sources,
      webhooks: reloadedWebhooks(before.whatsapp.webhooks, after.whatsapp.webhooks),
    }
    const { numbers, trunks, limits, events } = after
    const http = { ...before.http, token: after.http.token }
    const logging = { ...before.log, level: after.log.level }
    this.#config = { ...before, whatsapp, numbers, trunks, limits, http, events, log: logging }
    log.level = after.log.level
    this.#bridge.reconfigure(this.#config)
    this.#events.configure()
    if (numbersChanged(before, after)) this.settings.configure(this.#config)
    else void this.settings.resume()
    log.info(changes, 'configuration reloaded')
    return { ok: true, ...changes, errors: [], warnings: [...result.warnings] }
  }
}
