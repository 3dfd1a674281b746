import type { Clock } from '../../shared/clock.ts'
import { CLOCK_RATE, createFrameDecoder, type FrameDecoder, frameTicks } from './codec.ts'
import { DigitCollector, type ReceivedDigit } from './dtmf.ts'
import type { RtpHeader } from './rtp-socket.ts'
import type { CodecName } from './sdp.ts'
import { type HeardTone, ToneMeter } from './tone.ts'

/** What came in, counted (RFC 3550 §6.4.1 for loss). */
export interface ReceiveReport {
  packets: number
  /** Expected minus received; 0 when duplicates outnumber losses. */
  lost: number
  rtcp: number
  /** SSRCs in order of appearance, at most 16. */
  ssrcs: number[]
  /** Consecutive audio packets that are not 20 ms apart in RTP time. */
  irregular: number
  /** Packets with a payload type that was not negotiated. */
  unknownPayloads: number
  /** Frames the decoder refused. */
  undecodable: number
  /** The tone heard longest. */
  tone: HeardTone | undefined
  /** Every tone heard, the longest first. */
  tones?: readonly HeardTone[]
  /** Milliseconds of silence (below -50 dBFS) and of sound that is no tone. */
  silence: number
  other: number
  digits: readonly ReceivedDigit[]
  /** Longest time in milliseconds between two RTP packets. */
  longestGap?: number
}

/** One reception report block (RFC 3550 §6.4.1) but for the times of the sender's report. */
export interface ReceptionBlock {
  ssrc: number
  /** In 256ths. */
  fractionLost: number
  lost: number
  /** Extended highest sequence number. */
  highest: number
  /** Ticks. */
  jitter: number
}

/** Counts and listens to one direction of a call. */
export class Receiver {
  readonly #clock: Clock
  readonly #codecs = new Map<number, CodecName>()
  readonly #decoders = new Map<CodecName, FrameDecoder>()
  readonly #analyse: boolean
  #telephoneEvent: number
  readonly #meter = new ToneMeter()
  readonly #collector = new DigitCollector()
  readonly #ssrcs: number[] = []
  #ssrc: number | undefined
  #base = 0
  #highest = 0
  #ssrcPackets = 0
  #lostBefore = 0
  #previous: { sequence: number; timestamp: number } | undefined
  #packets = 0
  #rtcp = 0
  #irregular = 0
  #unknown = 0
  #undecodable = 0
  #transit: number | undefined
  #jitter = 0
  #reported = { expected: 0, lost: 0 }
  #firstAt: number | undefined
  #lastAt: number | undefined
  #lastRtpAt = 0
  #longestGap = 0
  #closed = false

  private constructor(clock: Clock, telephoneEvent: number, analyse: boolean) {
    this.#clock = clock
    this.#telephoneEvent = telephoneEvent
    this.#analyse = analyse
  }

  /** `analyse` false counts packets without decoding them, for load tests. */
  static async create(options: {
    clock: Clock
    formats: readonly { name: CodecName; payloadType: number }[]
    telephoneEvent: number
    analyse: boolean
  }): Promise<Receiver> {
    const receiver = new Receiver(options.clock, options.telephoneEvent, options.analyse)
    await receiver.expect(options.formats, options.telephoneEvent)
    return receiver
  }

  /** Understands these formats too: a later offer or answer. */
  async expect(
    formats: readonly { name: CodecName; payloadType: number }[],
    telephoneEvent: number,
  ): Promise<void> {
    this.#telephoneEvent = telephoneEvent
    for (const { name, payloadType } of formats) {
      this.#codecs.set(payloadType, name)
      if (!this.#analyse || this.#decoders.has(name)) continue
      const decoder = await createFrameDecoder(name)
      if (this.#closed || this.#decoders.has(name)) decoder.free()
      else this.#decoders.set(name, decoder)
    }
  }

  /** Monotonic milliseconds of the first RTP packet. */
  get firstAt(): number | undefined {
    return this.#firstAt
  }

  /** Monotonic milliseconds of the last RTP or RTCP packet. */
  get lastAt(): number | undefined {
    return this.#lastAt
  }

  rtcp(): void {
    this.#rtcp++
    if (this.#firstAt !== undefined) this.#lastAt = this.#clock.monotonic()
  }

  rtp(header: RtpHeader, payload: Buffer): void {
    if (this.#closed) return
    const now = this.#clock.monotonic()
    this.#firstAt ??= now
    if (this.#packets > 0) this.#longestGap = Math.max(this.#longestGap, now - this.#lastRtpAt)
    this.#lastRtpAt = now
    this.#lastAt = now
    this.#packets++
    this.#count(header)
    if (header.payloadType === this.#telephoneEvent) {
      this.#collector.feed(header.timestamp, payload)
      this.#previous = undefined
      return
    }
    const codec = this.#codecs.get(header.payloadType)
    if (!codec) {
      this.#unknown++
      return
    }
    this.#pace(header, frameTicks(codec))
    this.#spread(header.timestamp, now * (CLOCK_RATE[codec] / 1000))
    const decoder = this.#decoders.get(codec)
    if (!decoder) return
    const pcm = decoder.decode(payload)
    if (pcm) this.#meter.feed(pcm)
    else this.#undecodable++
  }

  #count(header: RtpHeader): void {
    const { ssrc, sequenceNumber } = header
    if (ssrc !== this.#ssrc) {
      this.#lostBefore += this.#lostNow()
      this.#ssrc = ssrc
      this.#base = sequenceNumber
      this.#highest = sequenceNumber
      this.#ssrcPackets = 1
      this.#previous = undefined
      this.#transit = undefined
      this.#reported = { expected: 0, lost: 0 }
      if (this.#ssrcs.length < 16) this.#ssrcs.push(ssrc)
      return
    }
    this.#ssrcPackets++
    const ahead = (sequenceNumber - this.#highest) & 0xffff
    if (ahead < 0x8000) this.#highest += ahead
  }

  #lostNow(): number {
    if (this.#ssrc === undefined) return 0
    return Math.max(0, this.#highest - this.#base + 1 - this.#ssrcPackets)
  }

  #pace(header: RtpHeader, ticks: number): void {
    const { sequenceNumber: sequence, timestamp, marker } = header
    const last = this.#previous
    if (last && !marker && sequence === ((last.sequence + 1) & 0xffff)) {
      if ((timestamp - last.timestamp) >>> 0 !== ticks) this.#irregular++
    }
    this.#previous = { sequence, timestamp }
  }

  /** Interarrival jitter in ticks (RFC 3550 §6.4.1). */
  #spread(timestamp: number, arrival: number): void {
    const transit = (Math.round(arrival) - timestamp) | 0
    if (this.#transit !== undefined) {
      this.#jitter += (Math.abs((transit - this.#transit) | 0) - this.#jitter) / 16
    }
    this.#transit = transit
  }

  /** What a reception report has to say, since the one before; undefined before any packet. */
  block(): ReceptionBlock | undefined {
    if (this.#ssrc === undefined) return undefined
    const expected = this.#highest - this.#base + 1
    const lost = this.#lostNow()
    const before = this.#reported
    this.#reported = { expected, lost }
    const due = expected - before.expected
    const gone = Math.max(0, lost - before.lost)
    return {
      ssrc: this.#ssrc,
      fractionLost: due > 0 ? Math.min(255, Math.floor((gone * 256) / due)) : 0,
      lost,
      highest: this.#highest >>> 0,
      jitter: Math.round(this.#jitter),
    }
  }

  report(): ReceiveReport {
    return {
      packets: this.#packets,
      lost: this.#lostBefore + this.#lostNow(),
      rtcp: this.#rtcp,
      ssrcs: [...this.#ssrcs],
      irregular: this.#irregular,
      unknownPayloads: this.#unknown,
      undecodable: this.#undecodable,
      tone: this.#meter.tone,
      tones: this.#meter.tones,
      silence: this.#meter.silence,
      other: this.#meter.other,
      digits: this.#collector.digits,
      longestGap: Math.round(this.#longestGap),
    }
  }

  close(): void {
    this.#closed = true
    for (const decoder of this.#decoders.values()) decoder.free()
    this.#decoders.clear()
  }
}
