import type { Codec } from '../../media/sdp/types.ts'
import { frameTicks, silenceFrame } from '../codec/index.ts'
import type { Wire } from '../io/types.ts'
import {
  EVENT_PACKET,
  type EventForwarder,
  type OutgoingStream,
  RTP_HEADER,
  type RtpHeader,
  writeRtpHeader,
} from '../rtp/index.ts'
import { FrameQueue } from './frame-queue.ts'
import { LONGEST_PACKET, type Ring } from './ring.ts'

/** Milliseconds of audio in a frame of ours. */
export const FRAME_MS = 20
/** Milliseconds without a packet after which silence is sent instead. */
const FILL_AFTER = 60
/** How late a packet may be, beyond its own duration, before silence is sent instead. */
const GRACE = 40
/** Milliseconds without a packet after which an event that has not ended is cut short. */
const EVENT_GRACE = 200
/** Frames that are made up for at once when the timer was late; what is older is left out. */
const CATCH_UP = 3

/** The next moment at which a call has something to do of its own, unless a packet puts it off. */
export interface Due {
  /** Monotonic milliseconds; 0: look at once. */
  at: number
}

/** Frames that are played to a leg. */
export interface FrameSource {
  /** The next 20 ms; undefined at the end. */
  next(): Uint8Array | undefined
}

/**
 * The sending half of a leg: one stream in which audio of the other side, playback and silence take
 * turns. Nothing leaves while it is shut, and only a leg that is to be kept alive gets silence.
 */
export class Outlet {
  readonly stream: OutgoingStream
  readonly #ring: Ring
  readonly #fills: boolean
  readonly #due: Due
  #wire: Wire
  /** Whether packets may leave as far as directions and the call's start go. */
  #allowed = false
  #codec: Codec | undefined
  #payloadType = 0
  #frameTicks = 0
  #silence: Uint8Array = new Uint8Array(0)
  #eventType: number | undefined
  /** Whose event has begun, and not ended three times. */
  #event: EventForwarder | undefined
  #player: FrameSource | undefined
  #onPlayed: () => void = () => {}
  readonly #queue = new FrameQueue()
  /** Whether the last packet was a frame of our own, which the next one follows. */
  #own = false
  /**
   * When something of our own is due. Whole milliseconds, as all times of each packet here: V8 keeps
   * them in the object, fractions (and undefined) in places of their own.
   */
  #nextAt = 0
  #sources = 0
  #fillAfter = FILL_AFTER
  #fillTicks = 0
  firstAt: number | undefined
  /** Whole milliseconds; -1 before the first packet. */
  #lastAt = -1
  longestGapMs = 0
  /** Frames of silence that stood in for audio. */
  silenceInserted = 0

  /** @param due set to 0 whenever {@link dueAt} has come nearer */
  constructor(stream: OutgoingStream, wire: Wire, ring: Ring, fills: boolean, due: Due) {
    this.stream = stream
    this.#wire = wire
    this.#ring = ring
    this.#fills = fills
    this.#due = due
  }

  /** Another wire takes over; the stream goes on. */
  set wire(wire: Wire) {
    this.#wire = wire
    this.#due.at = 0
  }

  /** What is sent from now on. Frames of another codec that wait are dropped. */
  agree(audio: Codec, event: Codec | undefined): void {
    if (this.#codec?.name !== audio.name) this.#queue.clear()
    this.#codec = audio
    this.#payloadType = audio.payloadType
    this.#eventType = event?.payloadType
    this.#frameTicks = frameTicks(audio.name)
    this.#silence = silenceFrame(audio.name)
    this.stream.changeClockRate(audio.clockRate)
  }

  get codec(): Codec | undefined {
    return this.#codec
  }

  get playing(): boolean {
    return this.#player !== undefined
  }

  /** Whether a packet that comes now would leave. */
  get open(): boolean {
    return this.#allowed && this.#codec !== undefined && this.#wire.ready
  }

  /** Opens or shuts it. A leg that is kept alive gets its first packet in that moment. */
  allow(allowed: boolean, nowMs: number): void {
    this.#allowed = allowed
    if (allowed) this.wake(nowMs)
    if (allowed) return
    this.#queue.clear()
    this.stream.interrupt()
  }

  /** The wire has become ready, or the leg was opened: what is to be sent at once is sent. */
  wake(nowMs: number): void {
    this.#due.at = 0
    if (!this.open || !this.#fills || this.firstAt !== undefined) return
    this.#nextAt = Math.floor(nowMs)
    this.#ownFrame(nowMs)
  }

  /** Plays instead of what comes; undefined stops. `onPlayed` is told of the end. */
  play(player: FrameSource | undefined, nowMs: number, onPlayed: () => void): void {
    this.#due.at = 0
    this.#player = player
    this.#onPlayed = onPlayed
    this.#queue.clear()
    if (!player) return
    this.cutEvent(this.#event, nowMs)
    const earliest = this.#lastAt < 0 ? nowMs : this.#lastAt + FRAME_MS
    this.#nextAt = Math.floor(Math.max(nowMs, Math.min(this.#nextAt, earliest)))
  }

  /** A source number for converted audio that no other source of this outlet has. */
  newSource(): number {
    // Above 32 bits, where no SSRC is.
    return 2 ** 32 + ++this.#sources
  }

  /** Passes the payload of a packet on as it is. False: it was dropped. */
  forward(header: RtpHeader, packet: Buffer, durationTicks: number, nowMs: number): boolean {
    const { stream } = this
    const octets = header.payloadEnd - header.payloadStart
    if (this.#player || octets > LONGEST_PACKET - RTP_HEADER || !this.open) return false
    const { ssrc, sequence, timestamp, marker } = header
    if (!stream.forward(ssrc, sequence, timestamp, marker, nowMs, durationTicks)) return false
    const slot = this.#ring.next(RTP_HEADER + octets)
    // Cheaper than Buffer.copy up to some hundred octets: no call leaves the compiled code.
    const { payloadStart } = header
    for (let i = 0; i < octets; i++) slot[RTP_HEADER + i] = packet[payloadStart + i]!
    this.#foreign(durationTicks, nowMs)
    this.#send(slot, octets, nowMs)
    return true
  }

  /**
   * Sends a frame of a converted source, whose coordinates go on like a source's own. `paced` frames
   * come several at a time and leave one by one.
   */
  frame(
    ssrc: number,
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    octets: number,
    paced: boolean,
    nowMs: number,
  ): void {
    if (this.#player || !this.open) return
    const tooEarly = this.#lastAt >= 0 && nowMs - this.#lastAt < (FRAME_MS * 3) / 4
    if (paced && (tooEarly || this.#queue.size > 0)) {
      if (this.#queue.size === 0) this.#nextAt = this.#lastAt + FRAME_MS
      this.#due.at = 0
      this.#queue.push(ssrc, sequence, timestamp, payload, octets)
      return
    }
    this.#converted(ssrc, sequence, timestamp, payload, octets, nowMs)
  }

  /** Sends a telephone-event packet of the other side. False: it was dropped. */
  event(header: RtpHeader, packet: Buffer, forwarder: EventForwarder, nowMs: number): boolean {
    if (this.#eventType === undefined || this.#player || !this.open) return false
    const slot = this.#ring.next(EVENT_PACKET)
    const { stream } = this
    const length = forwarder.forward(header, packet, slot, stream, this.#eventType, nowMs)
    if (length === 0) return false
    this.#event = forwarder.open ? forwarder : undefined
    this.#own = false
    this.#due.at = 0
    this.#nextAt = Math.floor(nowMs) + (forwarder.ended ? this.#fillAfter : EVENT_GRACE)
    this.#count(length - RTP_HEADER, nowMs)
    this.#wire.sendRtp(slot, length)
    return true
  }

  /** Ends the event of a source that has gone, unless it has ended; others are left alone. */
  cutEvent(forwarder: EventForwarder | undefined, nowMs: number): void {
    if (!forwarder || forwarder !== this.#event) return
    this.#event = undefined
    if (this.#eventType === undefined || !this.open) return
    while (forwarder.open) {
      const slot = this.#ring.next(EVENT_PACKET)
      const length = forwarder.cut(slot, this.stream, this.#eventType)
      this.#count(length - RTP_HEADER, nowMs)
      this.#wire.sendRtp(slot, length)
    }
  }

  /** When {@link tick} will have something to do, if no packet comes before; Infinity: never. */
  get dueAt(): number {
    if (this.#player || this.#queue.size > 0 || this.#fills) return this.#nextAt
    return this.#own ? 0 : Number.POSITIVE_INFINITY
  }

  /** Sends what is due of our own: playback, frames that wait, silence. */
  tick(nowMs: number): void {
    if (!this.#player && this.#queue.size === 0 && !this.#fills) {
      this.#own = false
      return
    }
    if (nowMs < this.#nextAt || !this.open) return
    if (nowMs - this.#nextAt > CATCH_UP * FRAME_MS) {
      this.#nextAt = Math.floor(nowMs)
      this.#own = false
    }
    for (let n = 0; n < CATCH_UP && this.#nextAt <= nowMs; n++) this.#ownFrame(nowMs)
  }

  #ownFrame(nowMs: number): void {
    this.#nextAt += FRAME_MS
    if (!this.#player && this.#queue.size > 0) {
      const { head } = this.#queue
      this.#queue.shift()
      const dueNext = this.#nextAt
      this.#converted(head.ssrc, head.sequence, head.timestamp, head.payload, head.octets, nowMs)
      if (this.#queue.size > 0) this.#nextAt = dueNext
      return
    }
    this.cutEvent(this.#event, nowMs)
    let frame = this.#player?.next()
    if (this.#player && !frame) this.#ended()
    if (!frame) {
      if (!this.#fills) return
      frame = this.#silence
      this.silenceInserted++
    }
    const { stream } = this
    stream.generate(nowMs, this.#frameTicks, !this.#own)
    this.#own = true
    this.#write(frame, frame.length, nowMs)
  }

  #ended(): void {
    this.#player = undefined
    this.#onPlayed()
  }

  #converted(
    ssrc: number,
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    octets: number,
    nowMs: number,
  ): void {
    const { stream } = this
    if (!stream.forward(ssrc, sequence, timestamp, false, nowMs, this.#frameTicks)) return
    this.#foreign(this.#frameTicks, nowMs)
    this.#write(payload, octets, nowMs)
  }

  #write(payload: Uint8Array, octets: number, nowMs: number): void {
    const slot = this.#ring.next(RTP_HEADER + octets)
    for (let i = 0; i < octets; i++) slot[RTP_HEADER + i] = payload[i]!
    this.#send(slot, octets, nowMs)
  }

  /** Audio that is not ours was sent: silence has to wait again. */
  #foreign(durationTicks: number, nowMs: number): void {
    this.#own = false
    if (durationTicks !== this.#fillTicks) {
      this.#fillTicks = durationTicks
      this.#due.at = 0
      const duration = (durationTicks * 1000) / this.stream.clockRate
      this.#fillAfter = Math.max(FILL_AFTER, Math.ceil(duration) + GRACE)
    }
    this.#nextAt = Math.floor(nowMs) + this.#fillAfter
  }

  #send(slot: Buffer, octets: number, nowMs: number): void {
    const { marker, sequence, timestamp, ssrc } = this.stream
    writeRtpHeader(slot, this.#payloadType, marker, sequence, timestamp, ssrc)
    this.#count(octets, nowMs)
    this.#wire.sendRtp(slot, RTP_HEADER + octets)
  }

  #count(octets: number, nowMs: number): void {
    this.stream.count(octets)
    const at = Math.floor(nowMs)
    if (this.#lastAt < 0) this.firstAt = nowMs
    else if (at - this.#lastAt > this.longestGapMs) this.longestGapMs = at - this.#lastAt
    this.#lastAt = at
  }
}
