import type { DiscardReport } from '../../media/anchor/report.ts'
import type { LegId, LegMedia } from '../../media/anchor/types.ts'
import type { Codec, Direction } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Wire, WireEvents } from '../io/types.ts'
import {
  EventDetector,
  EventForwarder,
  OutgoingStream,
  ReceiveStatistics,
  RtcpSession,
  readRtp,
} from '../rtp/index.ts'
import type { EngineParts, WireKind } from './engine.ts'
import { type Due, Outlet } from './outlet.ts'
import { LONGEST_PACKET } from './ring.ts'
import { createRoute, type Route, sameFormat } from './route.ts'
import { WireHolder } from './wire-holder.ts'

/** Payload types by what they mean on a leg. */
const UNKNOWN = 0
const AUDIO = 1
const EVENT = 2
const OTHER = 3
const COMFORT = 4

/** Comfort noise (RFC 3389) has a static number that nobody needs to agree on; silence replaces it. */
const COMFORT_NOISE = 13

/** What a leg tells its call. */
export interface LegListener {
  /** When its legs are to be looked at next. */
  readonly due: Due
  onMediaUp(leg: Leg): void
  onDigit(leg: Leg, digit: string, durationMs: number): void
  onFailed(leg: Leg, error: CausewayError): void
  /** A format the remote may send but did not choose needs converting: whether it may. */
  onOther(leg: Leg, codec: Codec): Route | undefined
}

/**
 * One leg of a call: a wire, what is received on it and what is sent. Audio goes straight to the
 * other leg by the routes of {@link Leg.connect}.
 */
export class Leg implements WireEvents {
  id: LegId
  readonly transport: WireHolder
  readonly outlet: Outlet
  readonly received: ReceiveStatistics
  readonly rtcp: RtcpSession
  media: LegMedia | undefined
  /** When media might flow, monotonic milliseconds; undefined before. */
  openedAt: number | undefined
  malformed = 0
  wrongPayloadType = 0
  /** The last payload type nobody agreed on. */
  strangePayloadType: number | undefined
  #up = false
  #closed = false
  readonly #parts: EngineParts
  readonly #listener: LegListener
  readonly #detector: EventDetector
  /** Meaning of each payload type. */
  readonly #kinds = new Uint8Array(128)
  /** That of the agreed audio; -1 before. */
  #audioType = -1
  #hears = false
  #target: Leg | undefined
  #route: Route | undefined
  #others: Map<number, Route | undefined> | undefined
  #forwarder: EventForwarder | undefined
  /** The formats the route was made for. */
  #routed: { audio: Codec | undefined; to: Codec | undefined } = {
    audio: undefined,
    to: undefined,
  }

  constructor(id: LegId, kind: WireKind, parts: EngineParts, listener: LegListener) {
    this.id = id
    this.#parts = parts
    this.#listener = listener
    const { clock, random, ring } = parts
    const identity = { ssrc: random.int(1, 2 ** 32), cname: random.hex(8) }
    const outgoing = new OutgoingStream({
      ssrc: identity.ssrc,
      sequence: random.int(0, 0x10000),
      timestamp: random.int(0, 2 ** 32),
      clockRate: 48_000,
    })
    this.received = new ReceiveStatistics(48_000)
    this.transport = new WireHolder(
      kind,
      (kind) => parts.createWire(kind, identity, this),
      (wire) => {
        this.outlet.wire = wire
      },
    )
    this.outlet = new Outlet(outgoing, this.transport.wire, ring, id === 'whatsapp', listener.due)
    this.rtcp = new RtcpSession({
      cname: identity.cname,
      outgoing,
      statistics: this.received,
      random,
      nowMs: clock.monotonic(),
      wallMs: clock.now(),
    })
    this.#detector = new EventDetector((digit, ms) => this.#listener.onDigit(this, digit, ms))
  }

  get wire(): Wire {
    return this.transport.wire
  }

  /** From now on media may flow; the first call wins. */
  open(nowMs: number): void {
    this.openedAt ??= nowMs
    this.received.start(nowMs)
  }

  /** Takes what was agreed, first or later. */
  agree(media: LegMedia, nowMs: number): void {
    this.media = media
    // Nothing is to come from WhatsApp before the call's start.
    if (this.id !== 'whatsapp') this.open(nowMs)
    const { audio, event, accepts, direction } = media
    this.#closeOthers()
    this.#kinds.fill(UNKNOWN)
    this.#kinds[COMFORT_NOISE] = COMFORT
    for (const codec of accepts) this.#kinds[codec.payloadType] = OTHER
    this.#kinds[audio.payloadType] = AUDIO
    this.#audioType = audio.payloadType
    if (event) this.#kinds[event.payloadType] = EVENT
    this.received.changeClockRate(audio.clockRate)
    this.outlet.agree(audio, event)
    // The hold is no gap, nor what was on its way when it began.
    const held = !this.#hears
    this.#hears = hears(direction)
    if (held || !this.#hears) this.received.pause()
  }

  /** Whether the remote is asked not to send, or wants to hear nothing. */
  get held(): boolean {
    return this.media !== undefined && this.media.direction !== 'sendrecv'
  }

  /** Whether its audio is to be heard by the other side. */
  get heard(): boolean {
    return this.#hears
  }

  /**
   * Sends what comes from here to another leg; undefined: to nobody. What is connected already, in
   * the same formats, goes on undisturbed.
   */
  connect(target: Leg | undefined): void {
    const from = this.media
    const to = target?.media
    const { audio: formerFrom, to: formerTo } = this.#routed
    const same =
      target === this.#target &&
      from !== undefined &&
      to !== undefined &&
      formerFrom !== undefined &&
      formerTo !== undefined &&
      sameFormat(from.audio, formerFrom) &&
      sameFormat(to.audio, formerTo)
    if (!same) {
      // An event goes on through a change of the audio beside it.
      const forwarder = target === this.#target ? this.#forwarder : undefined
      if (!forwarder) this.#cutEvent()
      this.#disconnect()
      this.#target = target
      this.#forwarder = forwarder
      if (target && from && to) this.#route = createRoute(from.audio, target.outlet, to.audio)
      this.#routed = { audio: from?.audio, to: to?.audio }
    }
    if (!from?.event || !to?.event) this.#forwarder = undefined
    else this.#forwarder ??= new EventForwarder(from.event.clockRate, to.event.clockRate)
  }

  onRtp(packet: Buffer, length: number): void {
    if (this.#closed) return
    try {
      this.#receive(packet, length)
    } catch (cause) {
      // A fault of ours ends this call, not all of the worker's.
      this.onFailed(new CausewayError('MEDIA_RELAY_LOST', { detail: String(cause), cause }))
    }
  }

  #receive(packet: Buffer, length: number): void {
    const { header, clock, totals } = this.#parts
    const nowMs = clock.monotonic()
    if (!readRtp(packet, length, header)) {
      this.malformed++
      return
    }
    // Nearly all is audio: it is known without a look into the table, which is a cache miss.
    const { payloadType } = header
    const kind = payloadType === this.#audioType ? AUDIO : this.#kinds[payloadType]!
    const octets = header.payloadEnd - header.payloadStart
    if (kind === AUDIO) {
      this.received.receive(header.ssrc, header.sequence, header.timestamp, octets, nowMs)
      totals.packets++
      totals.octets += octets
      if (!this.#up) this.#mediaUp()
      // Without payload it only keeps a NAT open.
      if (octets > 0 && this.#hears) this.#route?.audio(header, packet, nowMs)
    } else if (kind === EVENT) {
      this.received.receiveEvent(header.ssrc, header.sequence, octets, nowMs)
      this.#detector.receive(header, packet, nowMs)
      const forwarder = this.#forwarder
      if (forwarder && this.#hears) this.#target?.outlet.event(header, packet, forwarder, nowMs)
    } else if (kind === COMFORT) {
      this.received.receiveEvent(header.ssrc, header.sequence, octets, nowMs)
    } else if (kind === OTHER) this.#other(packet, octets, nowMs)
    else {
      this.wrongPayloadType++
      this.strangePayloadType = header.payloadType
    }
  }

  onRtcp(packet: Buffer, length: number): void {
    if (!this.#closed) this.rtcp.receive(packet, length, this.#parts.clock.monotonic())
  }

  onReady(): void {
    if (!this.#closed) this.outlet.wake(this.#parts.clock.monotonic())
  }

  onFailed(error: CausewayError): void {
    if (!this.#closed) this.#listener.onFailed(this, error)
  }

  /** When {@link tick} will have something to do, if no packet comes before. */
  dueAt(mayReport: boolean): number {
    return mayReport ? Math.min(this.outlet.dueAt, this.rtcp.dueAt) : this.outlet.dueAt
  }

  /** Moves on what is due: frames and reports. */
  tick(nowMs: number, mayReport: boolean): void {
    this.outlet.tick(nowMs)
    if (!mayReport || !this.rtcp.due(nowMs) || !this.wire.ready) return
    const slot = this.#parts.ring.next(LONGEST_PACKET)
    this.wire.sendRtcp(slot, this.rtcp.write(slot, nowMs))
  }

  /** Once a second: an event whose end was lost ends. */
  second(nowMs: number): void {
    this.#detector.tick(nowMs)
  }

  discarded(): DiscardReport {
    const { auth, replayed, wrongSource, malformed } = this.wire.facts()
    return {
      auth,
      replayed,
      wrongSource,
      wrongPayloadType: this.wrongPayloadType,
      malformed: malformed + this.malformed,
    }
  }

  /** Ends the stream with a BYE and closes the wire. Idempotent. */
  async close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true
      this.#cutEvent()
      this.#disconnect()
      if (this.wire.ready && this.outlet.firstAt !== undefined) {
        const slot = this.#parts.ring.next(LONGEST_PACKET)
        this.wire.sendRtcp(slot, this.rtcp.writeGoodbye(slot, this.#parts.clock.monotonic()))
      }
    }
    await this.transport.close()
  }

  #mediaUp(): void {
    this.#up = true
    this.#listener.onMediaUp(this)
  }

  #other(packet: Buffer, octets: number, nowMs: number): void {
    const { header } = this.#parts
    const { payloadType } = header
    const codec = this.media?.accepts.find((codec) => codec.payloadType === payloadType)
    if (!codec) return
    this.received.receiveEvent(header.ssrc, header.sequence, octets, nowMs)
    if (!this.#up) this.#mediaUp()
    if (octets === 0 || !this.#hears || !this.#target) return
    this.#others ??= new Map()
    if (!this.#others.has(payloadType)) {
      this.#others.set(payloadType, this.#listener.onOther(this, codec))
    }
    this.#others.get(payloadType)?.audio(header, packet, nowMs)
  }

  #closeOthers(): void {
    for (const route of this.#others?.values() ?? []) route?.close()
    this.#others = undefined
  }

  /** A digit in the midst of which its leg goes has an end all the same. */
  #cutEvent(): void {
    this.#target?.outlet.cutEvent(this.#forwarder, this.#parts.clock.monotonic())
  }

  #disconnect(): void {
    this.#route?.close()
    this.#route = undefined
    this.#closeOthers()
    this.#forwarder = undefined
    this.#target = undefined
  }
}

/** Whether our direction takes audio in (RFC 3264 §5.1). */
export function hears(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'recvonly'
}

/** Whether our direction lets audio out. */
export function speaks(direction: Direction): boolean {
  return direction === 'sendrecv' || direction === 'sendonly'
}
