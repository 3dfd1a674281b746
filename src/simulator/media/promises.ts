import type { Clock } from '../../shared/clock.ts'
import { CLOCK_RATE, frameMs } from './codec.ts'
import { EventWatch } from './event-watch.ts'
import type { RtpHeader } from './rtp-socket.ts'
import type { CodecName } from './sdp.ts'

/** What the business's stream is held to; the words of violations in the control API. */
export type PromiseRule =
  | 'first-packet'
  | 'early-media'
  | 'ssrc'
  | 'sequence'
  | 'timestamp'
  | 'ptime'
  | 'payload-type'
  | 'telephone-event'

/** How the business's stream kept what WhatsApp relies on. Times in milliseconds. */
export interface PromiseReport {
  /** From the moment packets might come (ACK or 200, keys) to the first; undefined before it. */
  firstPacket: number | undefined
  /** Longest time between two packets. */
  longestGap: number
  /** Times the stream paused and went on with the clock, as with voice activity detection. */
  pauses: number
  /** Frames heard by their length: `{ 20: 1500 }`. */
  frames: Readonly<Record<number, number>>
  /** Packets that came late, behind their successor, or twice. */
  reordered: number
  /** Longest time this process stood still meanwhile, which explains as much of what is late. */
  stalled: number
  /** Share of silence in what was heard, 0 to 1; undefined before anything was heard. */
  silence: number | undefined
  /** How often each rule was broken. */
  broken: Readonly<Partial<Record<PromiseRule, number>>>
}

/** How a watch is set up. */
export interface PromiseWatchOptions {
  clock: Clock
  /** Milliseconds the first packet may take. */
  firstPacket: number
  /** Milliseconds a timestamp may run ahead of the clock, beside what is unsteady here. Default 25. */
  ahead?: number
  /** Called the first time a rule is broken. */
  broken: (rule: PromiseRule, detail: string) => void
  /** Milliseconds this process has stood still lately: nobody is blamed for them. */
  stalled?: () => number
}

/** Packets missing at once that count as loss; more is a jump. */
const MAX_LOSS = 50
/** Frame length WhatsApp insists on. */
const FRAME = 20
/**
 * Milliseconds a timestamp may run ahead of the clock: one frame and a little. Beside it counts how
 * unsteady arrivals are here: a busy machine must not be taken for a jump.
 */
const AHEAD = 25

/**
 * Holds the stream of the business to what WhatsApp's relay needs: one SSRC, sequence numbers and
 * timestamps without a break, 20 ms frames of the agreed types, events by RFC 4733. A pause is no
 * break while its timestamp tells how long it was.
 */
export class PromiseWatch {
  readonly #options: PromiseWatchOptions
  readonly #events: EventWatch
  readonly #counts: Partial<Record<PromiseRule, number>> = {}
  readonly #frames: Record<number, number> = {}
  #codecs: ReadonlyMap<number, CodecName> = new Map()
  #telephoneEvent: number | undefined
  #ssrc: number | undefined
  #last: { sequence: number; timestamp: number; ms: number | undefined } | undefined
  #codec: CodecName = 'opus'
  /** Timestamp and time everything is measured from, and the least delay seen since. */
  #origin: { timestamp: number; at: number } | undefined
  #delay = 0
  /** How much later than the least delay packets have come lately. */
  #spread = 0
  /** Time between the last two packets. */
  #gap = 0
  #lastAt: number | undefined
  #allowedAt: number | undefined
  #firstAt: number | undefined
  #longestGap = 0
  #stalled = 0
  #longestStall = 0
  #pauses = 0
  #reordered = 0

  constructor(options: PromiseWatchOptions) {
    this.#options = options
    this.#events = new EventWatch((detail) => this.broken('telephone-event', detail))
  }

  /** What the SDP came to: audio formats by payload type, and the type of telephone-event. */
  agree(codecs: ReadonlyMap<number, CodecName>, telephoneEvent: number): void {
    this.#codecs = codecs
    this.#telephoneEvent = telephoneEvent
  }

  /** From now on packets may come: the answer is there, and the keys. Monotonic milliseconds. */
  allow(at: number): void {
    this.#allowedAt ??= at
    this.#stalled = this.#options.stalled?.() ?? 0
  }

  rtp(header: RtpHeader, payload: Buffer): void {
    const now = this.#options.clock.monotonic()
    this.#stalled = this.#options.stalled?.() ?? 0
    this.#longestStall = Math.max(this.#longestStall, this.#stalled)
    this.#arrival(now)
    if (!this.#inSequence(header)) return
    if (header.payloadType === this.#telephoneEvent) {
      this.#timeline(header, undefined, now)
      this.#events.packet(header, payload, now, this.#stalled)
      return
    }
    const codec = this.#codecs.get(header.payloadType)
    if (!codec) {
      this.broken('payload-type', `payload type ${header.payloadType} was never agreed`)
      return
    }
    this.#events.audio()
    const ms = frameMs(codec, payload)
    this.#frames[ms] = (this.#frames[ms] ?? 0) + 1
    if (ms !== FRAME) this.broken('ptime', `a ${codec} packet of ${ms} ms, not ${FRAME}`)
    if (codec !== this.#codec) {
      // Another clock: the two timelines cannot be compared.
      this.#codec = codec
      this.#origin = undefined
      this.#last = undefined
    }
    this.#timeline(header, ms, now)
  }

  /** Notes a broken rule; told once, counted always. */
  broken(rule: PromiseRule, detail: string): void {
    const count = (this.#counts[rule] ?? 0) + 1
    this.#counts[rule] = count
    if (count === 1) this.#options.broken(rule, detail)
  }

  /** `silence`: share of silence in what was heard. */
  report(silence: number | undefined): PromiseReport {
    return {
      firstPacket: this.#firstPacket(),
      longestGap: Math.round(this.#longestGap),
      stalled: Math.round(this.#longestStall),
      pauses: this.#pauses,
      frames: { ...this.#frames },
      reordered: this.#reordered,
      silence,
      broken: { ...this.#counts },
    }
  }

  #firstPacket(): number | undefined {
    if (this.#firstAt === undefined || this.#allowedAt === undefined) return undefined
    return Math.max(0, Math.round(this.#firstAt - this.#allowedAt))
  }

  #arrival(now: number): void {
    this.#gap = now - (this.#lastAt ?? now)
    this.#longestGap = Math.max(this.#longestGap, this.#gap)
    this.#lastAt = now
    if (this.#firstAt !== undefined) return
    this.#firstAt = now
    const took = this.#firstPacket() ?? 0
    if (took > this.#options.firstPacket + this.#stalled) {
      this.broken('first-packet', `the first packet came after ${took} ms`)
    }
  }

  /** Judges SSRC and sequence number; false for a packet that is late or repeated. */
  #inSequence({ ssrc, sequenceNumber }: RtpHeader): boolean {
    if (ssrc !== this.#ssrc) {
      if (this.#ssrc !== undefined) this.broken('ssrc', `SSRC ${ssrc} after ${this.#ssrc}`)
      this.#ssrc = ssrc
      this.#restart()
      return true
    }
    if (!this.#last) return true
    const ahead = ((sequenceNumber - this.#last.sequence + 0x8000) & 0xffff) - 0x8000
    if (Math.abs(ahead) > MAX_LOSS) {
      this.broken('sequence', `sequence number ${sequenceNumber} after ${this.#last.sequence}`)
      this.#restart()
    } else if (ahead <= 0) {
      this.#reordered++
      return false
    } else if (ahead > 1) this.#events.lost()
    return true
  }

  /** Judges the timestamp; `ms` is undefined for events, which stand still. */
  #timeline({ sequenceNumber, timestamp }: RtpHeader, ms: number | undefined, now: number): void {
    const perMs = CLOCK_RATE[this.#codec] / 1000
    const last = this.#last
    this.#last = { sequence: sequenceNumber, timestamp, ms }
    if (!last || !this.#origin) {
      this.#origin = { timestamp, at: now }
      this.#delay = 0
      return
    }
    const elapsed = ((timestamp - this.#origin.timestamp) | 0) / perMs
    const delay = now - this.#origin.at - elapsed
    const step = (timestamp - last.timestamp) | 0
    const packets = (sequenceNumber - last.sequence) & 0xffff
    const expected =
      ms === undefined || last.ms === undefined ? undefined : packets * last.ms * perMs
    if (step < 0 || (expected !== undefined && step < expected)) {
      this.broken(
        'timestamp',
        `timestamp ${timestamp} after ${last.timestamp}, ${packets} packets on`,
      )
      this.#restart()
      return
    }
    if (expected === undefined ? step > 0 : step > expected) {
      const by = Math.round(this.#delay - delay)
      if (by > (this.#options.ahead ?? AHEAD) + this.#spread + this.#gap / 4 + this.#longestStall) {
        this.broken('timestamp', `the timestamp jumps ${by} ms ahead of the clock`)
        this.#restart()
        return
      }
      if (expected !== undefined) this.#pauses++
    }
    // The least delay is the truth; it may drift with the sender's clock.
    if (step === 0) return
    this.#delay = Math.min(delay, this.#delay + 0.1)
    this.#spread = Math.max(delay - this.#delay, this.#spread * 0.98)
  }

  #restart(): void {
    this.#last = undefined
    this.#origin = undefined
  }
}
