import { type FrameSink, opusTicks, type Transcoder } from '../codec/index.ts'
import type { RtpHeader } from '../rtp/index.ts'
import type { Outlet } from './outlet.ts'
import type { Route } from './route.ts'

/** What a {@link FrameRoute} is made of. */
export interface FrameRouteOptions {
  outlet: Outlet
  /** Gives frames of 20 ms, whatever the packets hold. */
  transcoder: Transcoder
  /** Ticks of 20 ms in the source's clock and in the outlet's. */
  sourceTicks: number
  targetTicks: number
  /** Whether the source is Opus, whose packets tell their duration themselves. */
  opus: boolean
}

/** Lost frames that are worth inventing; a longer gap is a pause. */
const MOST_CONCEALED = 5
/** A step back in sequence numbers above this is a new start (RFC 3550 §A.1). */
const MAX_MISORDER = 100
/** Frames after which a pause is a new start: ten seconds. */
const LONGEST_PAUSE = 500

/**
 * Converts payloads into frames of 20 ms for the other leg: another codec, or another packet time. The
 * frames have coordinates of their own that follow the source's clock, pauses and losses included.
 */
export class FrameRoute implements Route {
  readonly #outlet: Outlet
  readonly #transcoder: Transcoder
  readonly #sourceTicks: number
  readonly #targetTicks: number
  readonly #opus: boolean
  readonly #sink: FrameSink
  #ssrc = -1
  #sequence = 0
  /** Timestamp the next packet should have. */
  #expected = 0
  /** Coordinates of the next frame; the SSRC changes when the source begins anew. */
  #outSsrc = 0
  #outSequence = 0
  #outTimestamp = 0
  #paced = false
  #now = 0

  constructor(options: FrameRouteOptions) {
    this.#outlet = options.outlet
    this.#transcoder = options.transcoder
    this.#sourceTicks = options.sourceTicks
    this.#targetTicks = options.targetTicks
    this.#opus = options.opus
    this.#sink = (payload, octets) => this.#emit(payload, octets)
  }

  audio(header: RtpHeader, packet: Buffer, nowMs: number): void {
    const { payloadStart: start, payloadEnd: end } = header
    const ticks = this.#opus ? opusTicks(packet, start, end) : end - start
    if (ticks === 0) return
    this.#now = nowMs
    const step = ((header.sequence - this.#sequence) << 16) >> 16
    if (header.ssrc !== this.#ssrc || step < -MAX_MISORDER) this.#begin(header)
    else if (step <= 0) return
    else this.#bridge(header, packet, step)
    this.#sequence = header.sequence
    this.#expected = (header.timestamp + ticks) >>> 0
    this.#paced = ticks > this.#sourceTicks
    this.#transcoder.push(packet, start, end, this.#sink)
  }

  close(): void {
    this.#transcoder.close()
  }

  /** Makes up for what is missing before a packet that is `step` ahead of the last one. */
  #bridge(header: RtpHeader, packet: Buffer, step: number): void {
    const missing = Math.round(((header.timestamp - this.#expected) | 0) / this.#sourceTicks)
    if (missing === 0) return
    if (missing < 0 || missing > LONGEST_PAUSE) this.#begin(header)
    else if (step > 1 && missing <= MOST_CONCEALED) {
      const { payloadStart, payloadEnd } = header
      this.#transcoder.conceal(missing, this.#sink, packet, payloadStart, payloadEnd)
    } else this.#outTimestamp = (this.#outTimestamp + missing * this.#targetTicks) >>> 0
  }

  #begin(header: RtpHeader): void {
    this.#ssrc = header.ssrc
    this.#outSsrc = this.#outlet.newSource()
  }

  #emit(payload: Uint8Array, octets: number): void {
    this.#outlet.frame(
      this.#outSsrc,
      this.#outSequence,
      this.#outTimestamp,
      payload,
      octets,
      this.#paced,
      this.#now,
    )
    this.#outSequence = (this.#outSequence + 1) & 0xffff
    this.#outTimestamp = (this.#outTimestamp + this.#targetTicks) >>> 0
  }
}
