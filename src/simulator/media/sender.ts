import type { Clock, Timer } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { frameTicks } from './codec.ts'
import { digitPackets } from './dtmf.ts'
import { RtpHeader } from './rtp-socket.ts'
import type { CodecName } from './sdp.ts'

/** What is sent, as negotiated. */
export interface SentFormat {
  codec: CodecName
  payloadType: number
  telephoneEvent: number
  /** Encoded frames, sent round and round. */
  frames: readonly Buffer[]
  /** Milliseconds in a frame. */
  ptime: number
}

/** How the tone leaves. */
export interface SenderOptions {
  clock: Clock
  random: Random
  transport: { send(header: RtpHeader, payload: Buffer): void }
  ssrc: number
  format: SentFormat
}

/** Audio frames between two digits. */
const GAP = 4

/**
 * Sends a frame in every packet time on one SSRC. Each tick is scheduled against the start, so that
 * late timers do not add up; digits take the place of frames in the same sequence and timestamp space.
 */
export class Sender {
  readonly #options: SenderOptions
  #format: SentFormat
  #ssrc: number
  #sequence: number
  #timestamp: number
  #timer: Timer | undefined
  #startedAt = 0
  #ticks = 0
  #events: { payload: Buffer; first: boolean }[] = []
  #eventTimestamp = 0
  #gap = 0
  #muted = false
  #talkspurt = true
  /** Packets and octets of payload sent. */
  packets = 0
  octets = 0

  constructor(options: SenderOptions) {
    this.#options = options
    this.#format = options.format
    this.#ssrc = options.ssrc
    this.#sequence = options.random.int(0, 0x8000)
    this.#timestamp = options.random.int(0, 0x7fffffff)
  }

  get running(): boolean {
    return this.#timer !== undefined
  }

  get ssrc(): number {
    return this.#ssrc
  }

  /** Timestamp of the next frame. */
  get timestamp(): number {
    return this.#timestamp
  }

  /** Sends the first frame at once and goes on from then. Idempotent. */
  start(): void {
    if (this.#timer) return
    this.#rebase()
    this.#tick()
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  /** Sends nothing while muted; the timestamp goes on. */
  mute(muted: boolean): void {
    this.#muted = muted
  }

  /** Another format from the next frame on; SSRC, sequence and timestamp go on. */
  change(format: SentFormat): void {
    this.#format = format
    if (this.#timer) this.#rebase()
  }

  /** Begins a new stream, as a PBX does that plays from another channel. */
  restart(): void {
    const { random } = this.#options
    this.#ssrc = random.int(1, 0xffffffff)
    this.#sequence = random.int(0, 0x8000)
    this.#timestamp = random.int(0, 0x7fffffff)
    this.#talkspurt = true
  }

  /** Queues digits of 0-9, *, #, A-D. Throws RangeError for others, before anything is sent. */
  dtmf(digits: string, milliseconds: number): void {
    const { ptime } = this.#format
    const packets = [...digits].map((digit) => digitPackets(digit, milliseconds, ptime))
    for (const digit of packets) {
      digit.forEach((payload, i) => {
        this.#events.push({ payload, first: i === 0 })
      })
    }
  }

  #rebase(): void {
    this.#startedAt = this.#options.clock.monotonic()
    this.#ticks = 0
  }

  #tick(): void {
    const { clock } = this.#options
    const { ptime, codec } = this.#format
    this.#send()
    this.#ticks++
    let wait = this.#startedAt + this.#ticks * ptime - clock.monotonic()
    if (wait < -500) {
      // The process stood still for half a second: skip what is lost rather than flood.
      const missed = Math.floor(-wait / ptime)
      this.#ticks += missed
      this.#timestamp = (this.#timestamp + missed * frameTicks(codec, ptime)) >>> 0
      wait += missed * ptime
      this.#talkspurt = true
    }
    this.#timer = clock.setTimeout(() => this.#tick(), Math.max(0, wait))
  }

  #send(): void {
    const { codec, frames, payloadType, telephoneEvent, ptime } = this.#format
    const ticks = frameTicks(codec, ptime)
    const next = this.#events[0]
    if (next?.first && this.#gap > 0) this.#gap--
    else if (next) {
      this.#events.shift()
      if (next.first) this.#eventTimestamp = this.#timestamp
      this.#packet(telephoneEvent, next.payload, this.#eventTimestamp, next.first)
      this.#gap = GAP
      this.#talkspurt = true
      this.#timestamp = (this.#timestamp + ticks) >>> 0
      return
    }
    if (!this.#muted) {
      const frame = frames[this.#ticks % frames.length]!
      this.#packet(payloadType, frame, this.#timestamp, this.#talkspurt)
      this.#talkspurt = false
    } else this.#talkspurt = true
    this.#timestamp = (this.#timestamp + ticks) >>> 0
  }

  #packet(payloadType: number, payload: Buffer, timestamp: number, marker: boolean): void {
    this.#sequence = (this.#sequence + 1) & 0xffff
    const header = new RtpHeader({
      version: 2,
      payloadType,
      sequenceNumber: this.#sequence,
      timestamp,
      ssrc: this.#ssrc,
      marker,
    })
    this.#options.transport.send(header, payload)
    this.packets++
    this.octets += payload.length
  }
}
