import { PacketWindow } from './window.ts'

/** A step of sequence numbers above this is a new start (RFC 3550 §A.1). */
export const MAX_DROPOUT = 3000
/** A step back above this is one, too. */
export const MAX_MISORDER = 100

/** Milliseconds after which what is still late is no burst of delayed packets but a slower clock. */
const LATE_MS = 60
/** Milliseconds for which packets of the former source are stragglers. */
const STRAGGLER_MS = 60
/** Audio more than this late, in milliseconds, was not held up by a network: its clock stood still. */
const HELD_UP_MS = 2000
/** A stream this many milliseconds ahead for so long is shortened by a packet: it is all delay. */
const SURPLUS_MS = 300
const SURPLUS_FOR_MS = 500
/** Share by which two honest clocks may differ. */
const CLOCK_TOLERANCE = 200e-6

/** Where an outgoing stream begins; random in a call (RFC 3550 §5.1). */
export interface StreamStart {
  ssrc: number
  /** Of the first packet, 16 bits. */
  sequence: number
  /** Of the first packet, 32 bits. */
  timestamp: number
  /** Ticks in a second. */
  clockRate: number
}

/**
 * The one stream towards a leg: one SSRC for the life of the call, sequence numbers and timestamps
 * without a break, whatever sources follow each other behind it.
 *
 * In one unbroken source stream both are moved by constant offsets, so that losses and reordering
 * stay visible to the receiver. Another SSRC, a jump, or packets of our own in between anchor the
 * source anew: right behind the last packet, with the time that has really passed. No sequence number
 * is ever used twice, which SRTP needs (RFC 3711 §9.1).
 *
 * `nowMs` is monotonic. After each call that gives a packet, `sequence`, `timestamp` and `marker` are
 * its header's.
 */
export class OutgoingStream {
  readonly ssrc: number
  /** Packets and octets of payload that were {@link count}ed. */
  packets = 0
  octets = 0
  sequence = 0
  timestamp = 0
  marker = false

  // Timestamps in here are signed: V8 keeps such integers in the object, larger ones elsewhere.
  #clockRate: number
  #started = false
  /** The highest sequence number given out, and the timestamp that goes on from there. */
  #lastSequence: number
  #lastTimestamp: number
  #lastDuration = 0
  /** When {@link #lastTimestamp} was given out: events have a timestamp of their own. */
  #timedAt = 0
  /** Timestamp of the event since the last audio; undefined without one. */
  #event: number | undefined
  /** Ticks that the last timestamp is ahead of real time; below zero: behind. */
  #ahead = 0
  #surplusSince = -1

  /** SSRC of the source; -1 before the first. */
  #source = -1
  /** Whether the offsets hold: nothing of our own was sent since the source's last packet. */
  #unbroken = false
  #sequenceOffset = 0
  #timestampOffset = 0
  #sourceSequence = 0
  #sourceTimestamp = 0
  #lateSince = -1
  /** The source before, whose stragglers are not to bring it back. */
  #former = -1
  #switchedAt = 0
  readonly #seen = new PacketWindow()

  constructor(start: StreamStart) {
    this.ssrc = start.ssrc >>> 0
    this.#clockRate = start.clockRate
    this.#lastSequence = (start.sequence - 1) & 0xffff
    this.#lastTimestamp = start.timestamp | 0
  }

  /** Ticks in a second. */
  get clockRate(): number {
    return this.#clockRate
  }

  /**
   * Takes a packet of a source and gives it its place. False: it is to be dropped (late, a duplicate,
   * or its place was filled).
   */
  forward(
    sourceSsrc: number,
    sequence: number,
    timestamp: number,
    marker: boolean,
    nowMs: number,
    durationTicks: number,
  ): boolean {
    if (sourceSsrc !== this.#source) {
      if (this.#straggles(sourceSsrc, nowMs)) return false
      return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
    }
    const step = ((sequence - this.#sourceSequence) << 16) >> 16
    const ticks = (timestamp - this.#sourceTimestamp) | 0
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
    }
    if (step <= 0) {
      // Behind in sequence but far ahead in time: a restart that happens to begin just below.
      if (ticks > this.#clockRate) {
        return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
      }
      if (!this.#unbroken || !this.#seen.late(-step)) return false
      this.#give(sequence, (timestamp + this.#timestampOffset) >>> 0, marker)
      return true
    }
    if (!this.#plausible(step, ticks, nowMs, durationTicks) || this.#overlaps(step, ticks)) {
      return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
    }
    if (!this.#unbroken) {
      if (this.#isLate(timestamp, nowMs)) return false
      return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
    }
    if (this.#isSurplus(nowMs)) {
      this.#unbroken = false
      return false
    }
    const mapped = (timestamp + this.#timestampOffset) >>> 0
    if (this.#event !== undefined && ((mapped - this.#event) | 0) < 0) {
      // An event that was held up has the time of its arrival: audio may not go back behind it.
      return this.#anchor(sourceSsrc, sequence, timestamp, nowMs, durationTicks)
    }
    this.#seen.advance(step)
    this.#sourceSequence = sequence
    this.#sourceTimestamp = timestamp | 0
    this.#give(sequence, mapped, marker)
    this.#mark(this.sequence, mapped, durationTicks, nowMs)
    return true
  }

  /**
   * A packet of our own: silence, playback, transcoded or repacketised audio. `resumes` says that
   * something else, or nothing, was sent before: the timestamp then advances by the time that has
   * passed and the marker is set; else it follows the last packet.
   */
  generate(nowMs: number, durationTicks: number, resumes: boolean): void {
    const first = !this.#started
    const advance = resumes ? this.#elapsed(nowMs) : this.#started ? this.#lastDuration : 0
    const timestamp = (this.#lastTimestamp + advance) >>> 0
    this.#unbroken = false
    this.#next(timestamp, first || resumes)
    this.#mark(this.sequence, timestamp, durationTicks, nowMs)
  }

  /**
   * A telephone-event packet of a source (RFC 4733): it takes its place among the sequence numbers,
   * but has a timestamp of its own, `eventTimestamp`, and moves no audio. False: drop it.
   */
  forwardEvent(
    sourceSsrc: number,
    sequence: number,
    eventTimestamp: number,
    marker: boolean,
  ): boolean {
    this.#event = eventTimestamp
    if (sourceSsrc !== this.#source || !this.#unbroken) {
      // Between converted audio: that moves up by one and goes on as it was.
      this.#sequenceOffset = (this.#sequenceOffset + 1) & 0xffff
      this.#seen.reset()
      this.#next(eventTimestamp, marker)
      return true
    }
    const step = ((sequence - this.#sourceSequence) << 16) >> 16
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      this.#unbroken = false
      this.#next(eventTimestamp, marker)
      return true
    }
    if (step <= 0) {
      if (!this.#seen.late(-step)) return false
      this.#give(sequence, eventTimestamp, marker)
      return true
    }
    this.#seen.advance(step)
    // The audio's timestamp keeps its place: the events between took none of it.
    this.#sourceSequence = sequence
    this.#give(sequence, eventTimestamp, marker)
    this.#lastSequence = this.sequence
    return true
  }

  /**
   * What the source sends from now on does not leave (hold): when it does again, sequence numbers go
   * on where they were, as a pause is no loss.
   */
  interrupt(): void {
    this.#unbroken = false
  }

  /** A packet was sent: `payloadOctets` of payload, for sender reports (RFC 3550 §6.4.1). */
  count(payloadOctets: number): void {
    this.packets++
    this.octets += payloadOctets
  }

  /** Another codec from the next packet on, which anchors its source anew. Timestamps go on. */
  changeClockRate(rate: number): void {
    if (rate === this.#clockRate) return
    this.#lastDuration = Math.round((this.#lastDuration / this.#clockRate) * rate)
    this.#ahead = (this.#ahead / this.#clockRate) * rate
    this.#clockRate = rate
    this.#unbroken = false
    // What the former clock says of the source means nothing any more.
    this.#source = -1
  }

  /** The timestamp of this very moment, for sender reports. */
  timestampAt(nowMs: number): number {
    if (!this.#started) return this.#lastTimestamp >>> 0
    return (this.#lastTimestamp + Math.round(this.#ticksSince(nowMs) - this.#ahead)) >>> 0
  }

  /** The timestamp a packet that begins something now would get, in whole frames from the last. */
  nextTimestamp(nowMs: number): number {
    if (!this.#started) return this.#lastTimestamp >>> 0
    return (this.#lastTimestamp + this.#frames(nowMs) * this.#frame()) >>> 0
  }

  #frame(): number {
    return Math.round(this.#clockRate / 50)
  }

  /**
   * 20 ms frames from the last timestamp to now, at least those of the last packet. What the stream is
   * ahead is taken back here, or every burst after a gap that was filled would add to the delay.
   */
  #frames(nowMs: number): number {
    const frame = this.#frame()
    const ticks = this.#ticksSince(nowMs) - this.#ahead
    return Math.max(1, Math.ceil(this.#lastDuration / frame), Math.round(ticks / frame))
  }

  #elapsed(nowMs: number): number {
    return this.#started ? this.#frames(nowMs) * this.#frame() : 0
  }

  #ticksSince(nowMs: number): number {
    return ((nowMs - this.#timedAt) * this.#clockRate) / 1000
  }

  #anchor(
    ssrc: number,
    sequence: number,
    timestamp: number,
    nowMs: number,
    durationTicks: number,
  ): boolean {
    if (ssrc !== this.#source) {
      this.#former = this.#source
      this.#switchedAt = nowMs
      this.#source = ssrc
    }
    const mapped = (this.#lastTimestamp + this.#elapsed(nowMs)) >>> 0
    this.#next(mapped, true)
    this.#mark(this.sequence, mapped, durationTicks, nowMs)
    this.#unbroken = true
    this.#lateSince = -1
    this.#sourceSequence = sequence
    this.#sourceTimestamp = timestamp | 0
    this.#sequenceOffset = (this.sequence - sequence) & 0xffff
    this.#timestampOffset = (mapped - timestamp) | 0
    this.#seen.reset()
    return true
  }

  #straggles(ssrc: number, nowMs: number): boolean {
    return this.#source !== -1 && ssrc === this.#former && nowMs - this.#switchedAt < STRAGGLER_MS
  }

  /**
   * Whether the timestamp fits a step forward: between what the packets in between and what the time
   * in between account for (a source with silence suppression sends nothing but its clock runs on),
   * give or take a second.
   */
  #plausible(step: number, ticks: number, nowMs: number, durationTicks: number): boolean {
    const slack = this.#clockRate
    const bySequence = step * durationTicks
    const byTime = this.#ticksSince(nowMs)
    return (
      ticks >= Math.min(bySequence, byTime) - slack && ticks <= Math.max(bySequence, byTime) + slack
    )
  }

  /**
   * Whether the timestamp says that this packet begins before the last one has ended. Some sources
   * (Asterisk, with Opus) stamp what they were late with by the clock, and the next ones closer.
   */
  #overlaps(step: number, ticks: number): boolean {
    return this.#unbroken && ticks < step * this.#lastDuration
  }

  /**
   * After packets of our own: whether this one belongs to a moment they have covered. A burst after
   * a stall soon catches up; what does not is a clock that stood still, and is taken as it is.
   */
  #isLate(timestamp: number, nowMs: number): boolean {
    const mapped = (timestamp + this.#timestampOffset) >>> 0
    const late = (this.#lastTimestamp + this.#lastDuration - mapped) | 0
    if (late <= 0 || late > (HELD_UP_MS * this.#clockRate) / 1000) return false
    if (this.#lateSince < 0) this.#lateSince = nowMs
    return nowMs - this.#lateSince < LATE_MS
  }

  /** Whether the stream has been well ahead of real time for a while, so that a packet is to go. */
  #isSurplus(nowMs: number): boolean {
    if (this.#ahead * 1000 < SURPLUS_MS * this.#clockRate) {
      this.#surplusSince = -1
      return false
    }
    if (this.#surplusSince < 0) this.#surplusSince = nowMs
    if (nowMs - this.#surplusSince < SURPLUS_FOR_MS) return false
    this.#surplusSince = nowMs
    return true
  }

  #next(timestamp: number, marker: boolean): void {
    this.sequence = (this.#lastSequence + 1) & 0xffff
    this.#lastSequence = this.sequence
    this.timestamp = timestamp
    this.marker = marker
  }

  #give(sequence: number, timestamp: number, marker: boolean): void {
    this.sequence = (sequence + this.#sequenceOffset) & 0xffff
    this.timestamp = timestamp
    this.marker = marker
  }

  #mark(sequence: number, timestamp: number, durationTicks: number, nowMs: number): void {
    this.#event = undefined
    if (this.#started) {
      const elapsed = this.#ticksSince(nowMs)
      this.#ahead += ((timestamp - this.#lastTimestamp) | 0) - elapsed
      // The clocks of source and relay are never the same: that much is no lead.
      const drift = elapsed * CLOCK_TOLERANCE
      this.#ahead -= Math.max(-drift, Math.min(drift, this.#ahead))
    }
    this.#started = true
    this.#lastSequence = sequence
    this.#lastTimestamp = timestamp | 0
    this.#lastDuration = durationTicks > 0 ? durationTicks : this.#frame()
    this.#timedAt = nowMs
  }
}
