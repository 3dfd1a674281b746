import type { Clock, Timer } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { frameTicks } from './codec.ts'
import { digitPackets } from './dtmf.ts'
import { RtpHeader, type RtpSocket } from './rtp-socket.ts'
import type { CodecName } from './sdp.ts'

/** How the tone leaves. */
export interface SenderOptions {
  clock: Clock
  random: Random
  socket: RtpSocket
  codec: CodecName
  payloadType: number
  telephoneEvent: number
  ssrc: number
  /** A second of encoded frames, sent round and round. */
  frames: readonly Buffer[]
}

const FRAME = 20
/** Audio frames between two digits. */
const GAP = 4

/**
 * Sends a frame every 20 ms on one SSRC. Each tick is scheduled against the start, so that late
 * timers do not add up; digits take the place of frames in the same sequence and timestamp space.
 */
export class Sender {
  readonly #options: SenderOptions
  #sequence: number
  #timestamp: number
  #timer: Timer | undefined
  #startedAt = 0
  #ticks = 0
  #events: { payload: Buffer; timestamp: number | undefined; first: boolean }[] = []
  #eventTimestamp = 0
  #gap = 0
  #muted = false
  #talkspurt = true
  /** Packets sent. */
  packets = 0

  constructor(options: SenderOptions) {
    this.#options = options
    this.#sequence = options.random.int(0, 0x8000)
    this.#timestamp = options.random.int(0, 0x7fffffff)
  }

  get running(): boolean {
    return this.#timer !== undefined
  }

  /** Sends the first frame at once and one every 20 ms from then. Idempotent. */
  start(): void {
    if (this.#timer) return
    this.#startedAt = this.#options.clock.monotonic()
    this.#ticks = 0
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

  /** Queues digits of 0-9, *, #, A-D. Throws RangeError for others, before anything is sent. */
  dtmf(digits: string, milliseconds: number): void {
    const packets = [...digits].map((digit) => digitPackets(digit, milliseconds))
    for (const digit of packets) {
      digit.forEach((payload, i) => {
        this.#events.push({ payload, timestamp: undefined, first: i === 0 })
      })
    }
  }

  #tick(): void {
    const { clock } = this.#options
    this.#send()
    this.#ticks++
    let wait = this.#startedAt + this.#ticks * FRAME - clock.monotonic()
    if (wait < -500) {
      // The process stood still for half a second: skip what is lost rather than flood.
      const missed = Math.floor(-wait / FRAME)
      this.#ticks += missed
      this.#timestamp = (this.#timestamp + missed * frameTicks(this.#options.codec)) >>> 0
      wait += missed * FRAME
    }
    this.#timer = clock.setTimeout(() => this.#tick(), Math.max(0, wait))
  }

  #send(): void {
    const { codec, frames, payloadType, telephoneEvent } = this.#options
    const next = this.#events[0]
    if (next?.first && this.#gap > 0) this.#gap--
    else if (next) {
      this.#events.shift()
      if (next.first) this.#eventTimestamp = this.#timestamp
      this.#packet(telephoneEvent, next.payload, this.#eventTimestamp, next.first)
      this.#gap = GAP
      this.#talkspurt = true
      this.#timestamp = (this.#timestamp + frameTicks(codec)) >>> 0
      return
    }
    if (!this.#muted) {
      const frame = frames[this.#ticks % frames.length]!
      this.#packet(payloadType, frame, this.#timestamp, this.#talkspurt)
      this.#talkspurt = false
    } else this.#talkspurt = true
    this.#timestamp = (this.#timestamp + frameTicks(codec)) >>> 0
  }

  #packet(payloadType: number, payload: Buffer, timestamp: number, marker: boolean): void {
    this.#sequence = (this.#sequence + 1) & 0xffff
    const header = new RtpHeader({
      version: 2,
      payloadType,
      sequenceNumber: this.#sequence,
      timestamp,
      ssrc: this.#options.ssrc,
      marker,
    })
    this.#options.socket.send(header, payload)
    this.packets++
  }
}
