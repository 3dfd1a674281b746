import type { CallRegistry } from '../calls/index.ts'
import {
  type CallMessages,
  Capture,
  type CaptureCounters,
  type HepCounters,
  HepSender,
  type Joined,
  type KeptMessage,
  pcapOf,
  type Transcript,
  viewOf,
} from '../capture/index.ts'
import type { Config } from '../config/types.ts'
import type { TapBatch } from '../embedded-drachtio/index.ts'
import type { MetricFamily, Sample } from '../http/index.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { counter, gauge, one } from './metrics/families.ts'
import type { SipServerHandle } from './sip-server.ts'

/** What tracing works with. */
export interface TracingOptions {
  /** As it is now; a reload may change it. */
  config: () => Config
  calls: CallRegistry
  sip: Pick<SipServerHandle, 'tap'>
  clock: Clock
  log: Logger
}

/** The SIP messages of a running instance: tapped only while somebody wants them. */
export class Tracing {
  readonly #options: TracingOptions
  #capture: Capture | undefined
  #hep: HepSender | undefined
  #hepConfig: Config['trace']['hep']
  #unsubscribe: (() => void)[] = []
  /** Of what was switched off since: counters only grow. */
  readonly #past = {
    seen: 0,
    behind: 0,
    memory: 0,
    call: 0,
    sent: 0,
    queue: 0,
    size: 0,
    network: 0,
  }

  constructor(options: TracingOptions) {
    this.#options = options
    this.configure()
  }

  /** Takes the present configuration. */
  configure(): void {
    const { trace, log } = this.#options.config()
    const wanted =
      trace.messages !== 'off' ||
      trace.hep !== undefined ||
      this.#options.log.isLevelEnabled('trace')
    if (!wanted) this.#off()
    else if (this.#capture) this.#capture.configure(trace, log.numbers)
    else this.#on()
    if (trace.hep !== this.#hepConfig) this.#openHep(trace.hep)
  }

  /**
   * The messages of a call for people.
   * @throws CausewayError APP_CALL_UNKNOWN, APP_MESSAGES_OFF, APP_MESSAGES_NONE
   */
  messages(id: string): CallMessages {
    return viewOf(this.#transcript(id))
  }

  /**
   * The messages of a call as a capture file.
   * @throws CausewayError as {@link Tracing.messages}
   */
  pcap(id: string): Buffer {
    return pcapOf(this.#transcript(id).messages)
  }

  metrics(): MetricFamily[] {
    const capture = this.#capture?.counters
    const hep = this.#hep?.counters
    const past = this.#past
    const lost = [
      { reason: 'behind', value: past.behind + (capture?.lost.behind ?? 0) },
      { reason: 'memory', value: past.memory + (capture?.lost.memory ?? 0) },
      { reason: 'call', value: past.call + (capture?.lost.call ?? 0) },
    ]
    const hepLost = [
      { reason: 'queue', value: past.queue + (hep?.lost.queue ?? 0) },
      { reason: 'size', value: past.size + (hep?.lost.size ?? 0) },
      { reason: 'network', value: past.network + (hep?.lost.network ?? 0) },
    ]
    const by = (list: typeof lost): Sample[] =>
      list.map(({ reason, value }) => ({ labels: { reason }, value }))
    return [
      counter('trace_messages', 'SIP messages traced.', one(past.seen + (capture?.seen ?? 0))),
      counter('trace_messages_lost', 'Messages not kept, by reason.', by(lost)),
      gauge('trace_kept_bytes', 'Text of messages that is kept.', one(this.#capture?.bytes ?? 0)),
      counter('trace_hep_sent', 'Messages sent to HEP.', one(past.sent + (hep?.sent ?? 0))),
      counter('trace_hep_lost', 'Messages that did not reach HEP, by reason.', by(hepLost)),
    ]
  }

  /** Ends the tap; what waits for HEP is sent. */
  async stop(): Promise<void> {
    this.#off()
    await this.#hep?.close()
  }

  #transcript(id: string): Transcript {
    const { calls, config } = this.#options
    if (!calls.record(id)) throw new CausewayError('APP_CALL_UNKNOWN', { place: id })
    const { trace, sip } = config()
    if (trace.messages === 'off' || sip.server.kind !== 'embedded') {
      throw new CausewayError('APP_MESSAGES_OFF', { place: id })
    }
    const transcript = this.#capture?.transcript(id)
    if (!transcript) throw new CausewayError('APP_MESSAGES_NONE', { place: id })
    return transcript
  }

  #on(): void {
    const { config, calls, sip, clock } = this.#options
    const { trace, log } = config()
    const capture = new Capture({ trace, numbers: log.numbers, clock })
    this.#capture = capture
    this.#unsubscribe = [
      calls.subscribe({
        joined: (call, leg, callId) => capture.joined(call, leg, callId),
        ended: (record) => capture.ended(record),
      }),
      capture.listen((message, call) => this.#told(message, call)),
    ]
    for (const call of calls.active()) {
      for (const leg of ['whatsapp', 'pbx'] as const) {
        const callId = call.callIds[leg]
        if (callId !== undefined) capture.joined(call, leg, callId)
      }
    }
    sip.tap((batch) => this.#take(capture, batch))
  }

  #off(): void {
    if (!this.#capture) return
    this.#options.sip.tap(undefined)
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#remember(this.#capture.counters)
    this.#capture = undefined
  }

  /** A message that cannot be dealt with is this program's fault, and no reason to stop. */
  #take(capture: Capture, { messages, lost }: TapBatch): void {
    try {
      capture.take(messages, lost)
    } catch (err) {
      this.#options.log.error({ err }, 'SIP messages not traced')
    }
  }

  #told(message: KeptMessage, call: Joined | undefined): void {
    this.#hep?.send(message)
    const { log } = this.#options
    if (!log.isLevelEnabled('trace')) return
    const { dir, transport, localAddress, localPort, remoteAddress, remotePort, text } = message
    const local = `${localAddress}:${localPort}`
    const remote = `${remoteAddress}:${remotePort}`
    log.trace(
      { call: call?.id, leg: call?.leg, dir, transport, local, remote, sip: text },
      'SIP message',
    )
  }

  #openHep(config: Config['trace']['hep']): void {
    const { clock, log } = this.#options
    this.#hepConfig = config
    if (this.#hep) {
      this.#rememberHep(this.#hep.counters)
      void this.#hep.close()
    }
    this.#hep =
      config &&
      new HepSender({
        config,
        correlate: ({ callId }) => this.#capture?.callOf(callId)?.id ?? callId,
        clock,
        log,
      })
  }

  #remember({ seen, lost }: CaptureCounters): void {
    const past = this.#past
    past.seen += seen
    past.behind += lost.behind
    past.memory += lost.memory
    past.call += lost.call
  }

  #rememberHep({ sent, lost }: HepCounters): void {
    const past = this.#past
    past.sent += sent
    past.queue += lost.queue
    past.size += lost.size
    past.network += lost.network
  }
}
