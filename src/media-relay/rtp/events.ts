import { EventDuration } from './event-duration.ts'
import { RTP_HEADER, type RtpHeader, writeRtpHeader } from './header.ts'
import type { OutgoingStream } from './outgoing.ts'

/** Octets of an RFC 4733 event payload (§2.3). */
const EVENT_PAYLOAD = 4
/** Octets of an event packet as we send it. */
export const EVENT_PACKET = RTP_HEADER + EVENT_PAYLOAD
/** The last packet of an event is sent three times (RFC 4733 §2.5.1.4). */
const ENDS = 3
/** A longer event goes on in segments of this duration (RFC 4733 §2.5.1.3). */
const SEGMENT = 0xffff

const NAMES = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D']

/** Digit of an RFC 4733 event code: `0`-`9`, `*`, `#`, `A`-`D`, `flash`; undefined for others. */
export function eventName(code: number): string | undefined {
  return code === 16 ? 'flash' : NAMES[code]
}

/** Event code of a digit as {@link eventName} writes it; undefined for others. */
export function eventCode(digit: string): number | undefined {
  if (digit === 'flash') return 16
  const code = NAMES.indexOf(digit.toUpperCase())
  return code < 0 ? undefined : code
}

/**
 * Rewrites the telephone-event packets of a source for a leg (RFC 4733 §2.5): all packets of an event
 * keep one timestamp in the outgoing stream's timeline, the marker is on the first, duration and end
 * bit stay. Source and leg may number the payload differently and clock it differently.
 */
export class EventForwarder {
  readonly #sourceRate: number
  readonly #targetRate: number
  #active = false
  #ended = false
  /** Ends sent. */
  #ends = 0
  /** Whether we ended the event ourselves: what is left of it is dropped. */
  #cut = false
  #code = 0
  #ssrc = -1
  #sequence = 0
  #sourceTimestamp = 0
  #timestamp = 0
  /** Ticks and volume as last sent. */
  #ticks = 0
  #volume = 0
  readonly #duration: EventDuration

  /** @param sourceRate clock of the source's telephone-event, ticks a second; @param targetRate of the leg's. */
  constructor(sourceRate = 8000, targetRate = 8000) {
    this.#sourceRate = sourceRate
    this.#targetRate = targetRate
    this.#duration = new EventDuration(sourceRate)
  }

  /** Whether an event has begun whose end was not sent three times. */
  get open(): boolean {
    return this.#active && this.#ends < ENDS
  }

  /** Whether its end was sent. */
  get ended(): boolean {
    return this.#ended
  }

  /**
   * Writes an end of the open event, whose source has fallen silent or has gone. What that still
   * sends of it is dropped. Gives its length.
   */
  cut(slot: Buffer, outgoing: OutgoingStream, payloadType: number): number {
    this.#ended = true
    this.#ends++
    this.#cut = true
    // No source: it follows whatever was sent last.
    outgoing.forwardEvent(-1, 0, this.#timestamp, false)
    return this.#write(slot, outgoing, payloadType, true)
  }

  /**
   * Writes the packet `packet` with its header `header` into `slot` for the leg of `outgoing`. Gives
   * its length, {@link EVENT_PACKET}; 0 when it is malformed, late or a duplicate and to be dropped.
   */
  forward(
    header: RtpHeader,
    packet: Buffer,
    slot: Buffer,
    outgoing: OutgoingStream,
    payloadType: number,
    nowMs: number,
  ): number {
    const at = header.payloadStart
    if (header.payloadEnd - at < EVENT_PAYLOAD) return 0
    const code = packet[at]!
    const flags = packet[at + 1]!
    const end = (flags & 0x80) !== 0
    let duration = (packet[at + 2]! << 8) | packet[at + 3]!
    const sameSource = this.#active && header.ssrc === this.#ssrc
    const step = sameSource ? ((header.sequence - this.#sequence) << 16) >> 16 : 1
    const same = sameSource && header.timestamp === this.#sourceTimestamp && code === this.#code
    // A straggler of the event before would begin that event again.
    if (step === 0 || (step < 0 && step > -100 && !same) || (same && this.#cut)) return 0

    let timestamp = this.#timestamp
    if (!same) {
      const goesOn =
        sameSource &&
        !this.#ended &&
        code === this.#code &&
        (header.timestamp - this.#sourceTimestamp) >>> 0 === SEGMENT
      timestamp = goesOn ? (timestamp + this.#scaled(SEGMENT)) >>> 0 : outgoing.nextTimestamp(nowMs)
      if (!outgoing.forwardEvent(header.ssrc, header.sequence, timestamp, !goesOn)) return 0
      this.#active = true
      this.#ended = false
      this.#ends = 0
      this.#cut = false
      this.#code = code
      this.#ssrc = header.ssrc
      this.#sourceTimestamp = header.timestamp
      this.#timestamp = timestamp
      this.#sequence = header.sequence
      this.#duration.begin(duration, end, nowMs)
    } else {
      if (!outgoing.forwardEvent(header.ssrc, header.sequence, timestamp, false)) return 0
      if (step > 0) {
        this.#sequence = header.sequence
        duration = this.#duration.next(duration, end, step, nowMs)
      }
    }
    if (end) {
      this.#ended = true
      this.#ends++
    }
    this.#volume = flags & 0x7f
    this.#ticks = Math.min(SEGMENT, this.#scaled(duration))
    return this.#write(slot, outgoing, payloadType, end)
  }

  #write(slot: Buffer, outgoing: OutgoingStream, payloadType: number, end: boolean): number {
    const { marker, sequence, timestamp, ssrc } = outgoing
    writeRtpHeader(slot, payloadType, marker, sequence, timestamp, ssrc)
    slot[RTP_HEADER] = this.#code
    slot[RTP_HEADER + 1] = (end ? 0x80 : 0) | this.#volume
    slot[RTP_HEADER + 2] = this.#ticks >>> 8
    slot[RTP_HEADER + 3] = this.#ticks
    return EVENT_PACKET
  }

  #scaled(ticks: number): number {
    if (this.#sourceRate === this.#targetRate) return ticks
    return Math.round((ticks * this.#targetRate) / this.#sourceRate)
  }
}

/** Milliseconds without a packet after which an event without an end packet is over. */
const EVENT_TIMEOUT_MS = 1000

/** Finds keypresses in the telephone-event packets of one leg and tells each once, at its end. */
export class EventDetector {
  readonly #rate: number
  readonly #onDigit: (digit: string, durationMs: number) => void
  #code = -1
  #reported = true
  #ssrc = -1
  #sequence = 0
  #timestamp = 0
  #longest = 0
  /** Ticks of the segments before, of an event longer than one. */
  #before = 0
  #lastAt = 0
  readonly #duration: EventDuration

  /**
   * @param onDigit told of each keypress: {@link eventName} and milliseconds
   * @param rate clock of telephone-event, ticks a second
   */
  constructor(onDigit: (digit: string, durationMs: number) => void, rate = 8000) {
    this.#onDigit = onDigit
    this.#rate = rate
    this.#duration = new EventDuration(rate)
  }

  /** Takes a telephone-event packet. Malformed and unknown events are ignored. */
  receive(header: RtpHeader, packet: Buffer, nowMs: number): void {
    const at = header.payloadStart
    if (header.payloadEnd - at < EVENT_PAYLOAD) return
    const code = packet[at]!
    if (code > 16) return
    const end = (packet[at + 1]! & 0x80) !== 0
    let duration = (packet[at + 2]! << 8) | packet[at + 3]!
    const known = header.ssrc === this.#ssrc && this.#code >= 0
    const step = known ? ((header.sequence - this.#sequence) << 16) >> 16 : 1
    if (step <= 0 && step > -100) return
    const ahead = (header.timestamp - this.#timestamp) >>> 0
    if (!known || ahead !== 0 || code !== this.#code) {
      const goesOn = known && code === this.#code && ahead === SEGMENT && !this.#reported
      if (goesOn) {
        this.#before += SEGMENT
      } else {
        this.#report()
        this.#before = 0
        this.#reported = false
      }
      this.#code = code
      this.#ssrc = header.ssrc
      this.#timestamp = header.timestamp
      this.#longest = 0
      this.#duration.begin(duration, end, nowMs)
    } else duration = this.#duration.next(duration, end, step, nowMs)
    this.#sequence = header.sequence
    this.#longest = Math.max(this.#longest, duration)
    this.#lastAt = nowMs
    if (end) this.#report()
  }

  /** To be called about once a second: ends an event whose end packets were lost. */
  tick(nowMs: number): void {
    if (!this.#reported && nowMs - this.#lastAt >= EVENT_TIMEOUT_MS) this.#report()
  }

  #report(): void {
    if (this.#reported) return
    this.#reported = true
    const digit = eventName(this.#code)
    if (digit === undefined) return
    this.#onDigit(digit, Math.round(((this.#before + this.#longest) * 1000) / this.#rate))
  }
}

/** Makes the packets of one event of our own: one each 20 ms, the last one three times (§2.5.1.4). */
export class EventSender {
  readonly #code: number
  readonly #payloadType: number
  readonly #frame: number
  readonly #total: number
  readonly #volume: number
  #timestamp = 0
  #duration = 0
  #ends = 0

  /** @param code event code; @param rate clock of telephone-event; @param volume minus dBm0, 0 to 63. */
  constructor(code: number, payloadType: number, durationMs: number, rate = 8000, volume = 10) {
    this.#code = code
    this.#payloadType = payloadType
    this.#frame = rate / 50
    this.#total = Math.min(SEGMENT, Math.max(1, Math.round((durationMs * rate) / 1000)))
    this.#volume = volume & 0x3f
  }

  /**
   * Writes the next packet into `slot`, due 20 ms after the one before; gives its length, or 0 when
   * the event is over.
   */
  next(slot: Buffer, outgoing: OutgoingStream, nowMs: number): number {
    if (this.#ends === ENDS) return 0
    const first = this.#duration === 0
    if (first) this.#timestamp = outgoing.nextTimestamp(nowMs)
    this.#duration = Math.min(this.#total, this.#duration + this.#frame)
    const end = this.#duration === this.#total
    if (end) this.#ends++
    // No source: it follows whatever was sent last.
    outgoing.forwardEvent(-1, 0, this.#timestamp, first)
    writeRtpHeader(
      slot,
      this.#payloadType,
      outgoing.marker,
      outgoing.sequence,
      outgoing.timestamp,
      outgoing.ssrc,
    )
    slot[RTP_HEADER] = this.#code
    slot[RTP_HEADER + 1] = (end ? 0x80 : 0) | this.#volume
    slot[RTP_HEADER + 2] = this.#duration >>> 8
    slot[RTP_HEADER + 3] = this.#duration
    return EVENT_PACKET
  }
}
