import type { StreamReport } from '../../media/anchor/report.ts'
import { Bursts } from './bursts.ts'
import { MAX_DROPOUT, MAX_MISORDER } from './outgoing.ts'
import { meanOpinion } from './quality.ts'
import { PacketWindow } from './window.ts'

/** Packets with more audio than this, in milliseconds, are a pause rather than a packet time. */
const LONGEST_PTIME_MS = 120

/**
 * What is received on a leg in figures: RFC 3550 §A.1 (sequence numbers), §A.3 (loss), §A.8 (jitter),
 * RFC 3611 §4.7.2 (bursts). Another SSRC or a jump begins a new run; totals go on. `nowMs` is monotonic.
 */
export class ReceiveStatistics {
  /** Packets and octets of payload, duplicates left out. */
  packets = 0
  octets = 0
  reordered = 0
  duplicates = 0
  /** How often a run ended by another SSRC or a jump. */
  restarts = 0
  longestGapMs = 0
  /** Milliseconds of audio in a packet, as timestamps tell; undefined while unknown. */
  ptime: number | undefined

  // Numbers from the beginning, and whole ones where it can be: a field that begins as undefined costs
  // an allocation at each packet, a fraction a place of memory of its own.
  #ssrc = -1
  #firstAt = Number.NaN
  /** Whole milliseconds; -1 before the first packet. */
  #lastAt = -1
  #clockRate: number
  /** Whether the next packet ends no gap. */
  #paused = false
  #startedAt: number | undefined
  /** Packets of the present run, duplicates and all (RFC 3550 §A.3). */
  #received = 0
  #unique = 0
  #base = 0
  #max = 0
  #cycles = 0
  #bad = -1
  #jitter = 0
  #transit = 0
  #hasTransit = false
  #lastTimestamp = 0
  #lastWasAudio = false
  #delta = 0
  #formerExpected = 0
  #formerUnique = 0
  #expectedBefore = 0
  #receivedBefore = 0
  readonly #window = new PacketWindow()
  readonly #bursts = new Bursts()

  constructor(clockRate: number) {
    this.#clockRate = clockRate
  }

  /** From now on media may flow: the wait for the first packet counts from here. First call wins. */
  start(nowMs: number): void {
    this.#startedAt ??= nowMs
  }

  /** The time until the next packet is no gap: the other side was asked, or has said, not to send. */
  pause(): void {
    this.#paused = true
  }

  /** Another codec from the next packet on. */
  changeClockRate(rate: number): void {
    if (rate === this.#clockRate) return
    this.#jitter = (this.#jitter / this.#clockRate) * rate
    this.#clockRate = rate
    this.#hasTransit = false
    this.#lastWasAudio = false
    this.ptime = undefined
  }

  /** An audio packet. */
  receive(
    ssrc: number,
    sequence: number,
    timestamp: number,
    payloadOctets: number,
    nowMs: number,
  ): void {
    const step = this.#place(ssrc, sequence, payloadOctets, nowMs)
    if (step === undefined) return
    this.#measure(timestamp, nowMs)
    if (step === 1 && this.#lastWasAudio) this.#learnPtime((timestamp - this.#lastTimestamp) | 0)
    if (step >= 1) {
      // Signed, as V8 keeps such integers in the object.
      this.#lastTimestamp = timestamp | 0
      this.#lastWasAudio = true
    }
  }

  /** A telephone-event packet: it counts, but its timestamp tells nothing of time (RFC 4733). */
  receiveEvent(ssrc: number, sequence: number, payloadOctets: number, nowMs: number): void {
    const step = this.#place(ssrc, sequence, payloadOctets, nowMs)
    if (step !== undefined && step >= 1) this.#lastWasAudio = false
  }

  /** SSRC of the present run; undefined before the first packet. */
  get ssrc(): number | undefined {
    return this.#ssrc < 0 ? undefined : this.#ssrc
  }

  /** When the last packet came. */
  get lastAt(): number | undefined {
    return this.#lastAt < 0 ? undefined : this.#lastAt
  }

  /** Extended highest sequence number of the run (RFC 3550 §6.4.1). */
  get extendedHighest(): number {
    return this.#cycles + this.#max
  }

  /** Packets lost in the run; negative when duplicates outnumber losses. For report blocks. */
  get cumulativeLost(): number {
    return this.#expected() - this.#received
  }

  /** Interarrival jitter in ticks. */
  get jitter(): number {
    return Math.floor(this.#jitter)
  }

  /** Share of packets lost since this was last called, in 256ths (RFC 3550 §A.3). For report blocks. */
  takeFractionLost(): number {
    const expected = this.#expected() - this.#expectedBefore
    const lost = expected - (this.#received - this.#receivedBefore)
    this.#expectedBefore = this.#expected()
    this.#receivedBefore = this.#received
    return expected <= 0 || lost <= 0 ? 0 : Math.min(255, Math.floor((lost * 256) / expected))
  }

  /** Everything so far. With `codec` (rtpmap name) the quality is judged; `rttMs` adds to it. */
  report(codec?: string, rttMs?: number): StreamReport {
    const expected = this.#formerExpected + this.#expected()
    const lost = Math.max(0, expected - this.#formerUnique - this.#unique)
    const lossRate = expected > 0 ? lost / expected : 0
    const bursts = this.#bursts.copy()
    for (let behind = this.#window.known - 1; behind >= 0; behind--) {
      bursts.add(this.#window.has(behind))
    }
    const jitterMs = (this.#jitter * 1000) / this.#clockRate
    return {
      packets: this.packets,
      octets: this.octets,
      lost,
      lossRate,
      burstRate: bursts.lost > 0 ? bursts.lostInBursts / bursts.lost : 0,
      jitterMs,
      reordered: this.reordered,
      duplicates: this.duplicates,
      firstPacketAfterMs:
        Number.isNaN(this.#firstAt) || this.#startedAt === undefined
          ? undefined
          : Math.max(0, this.#firstAt - this.#startedAt),
      longestGapMs: this.longestGapMs,
      mos:
        codec === undefined || this.packets === 0
          ? undefined
          : meanOpinion({
              codec,
              lossRate,
              meanLossRun: bursts.runs > 0 ? bursts.lost / bursts.runs : 1,
              jitterMs,
              rttMs,
              ptimeMs: this.ptime ?? 20,
            }),
    }
  }

  #expected(): number {
    return this.#ssrc < 0 ? 0 : this.#cycles + this.#max - this.#base + 1
  }

  /** Where a packet lies against the highest so far (1: the next); undefined: not to be measured. */
  #place(ssrc: number, sequence: number, octets: number, nowMs: number): number | undefined {
    if (ssrc !== this.#ssrc) {
      this.#begin(ssrc, sequence, octets, nowMs)
      return 1
    }
    const step = ((sequence - this.#max) << 16) >> 16
    if (step > MAX_DROPOUT || step < -MAX_MISORDER) {
      // Two in a row are a restart, one is a stray (RFC 3550 §A.1).
      if (sequence !== this.#bad) {
        this.#bad = (sequence + 1) & 0xffff
        return undefined
      }
      this.#begin(ssrc, sequence, octets, nowMs)
      return 1
    }
    this.#received++
    if (step <= 0 && this.extendedHighest + step < this.#base) {
      // The stream began earlier than its first packet to arrive.
      this.#base = this.extendedHighest + step
      if (step > -64) this.#window.widen(-step)
    }
    if (step > 0) {
      this.#slide(step)
      if (sequence < this.#max) this.#cycles += 0x10000
      this.#max = sequence
    } else if (-step >= 64) {
      // Before what is remembered: whether it is a duplicate cannot be told.
      this.reordered++
    } else if (!this.#window.late(-step)) {
      this.duplicates++
      return undefined
    } else {
      this.reordered++
    }
    this.#unique++
    this.#arrive(octets, nowMs)
    return step
  }

  #begin(ssrc: number, sequence: number, octets: number, nowMs: number): void {
    if (this.#ssrc >= 0) {
      this.restarts++
      this.#formerExpected += this.#expected()
      this.#formerUnique += this.#unique
      for (let behind = this.#window.known - 1; behind >= 0; behind--) {
        this.#bursts.add(this.#window.has(behind))
      }
      this.#bursts.separate()
    }
    this.#ssrc = ssrc
    this.#base = sequence
    this.#max = sequence
    this.#cycles = 0
    this.#bad = -1
    this.#received = 1
    this.#unique = 1
    this.#expectedBefore = 0
    this.#receivedBefore = 0
    this.#hasTransit = false
    this.#lastWasAudio = false
    this.#window.reset()
    this.#arrive(octets, nowMs)
  }

  /** Moves the window; what falls out of it is lost for good, or was received. */
  #slide(step: number): void {
    const window = this.#window
    for (let i = 0; i < step; i++) {
      if (window.known === 64) this.#bursts.add(window.high < 0)
      if (i === step - 1) window.advance(1)
      else window.skip()
    }
  }

  #arrive(octets: number, nowMs: number): void {
    this.packets++
    this.octets += octets
    const at = Math.floor(nowMs)
    if (this.#lastAt < 0) this.#firstAt = nowMs
    if (this.#paused) this.#paused = false
    else if (this.#lastAt >= 0 && at - this.#lastAt > this.longestGapMs) {
      this.longestGapMs = at - this.#lastAt
    }
    this.#lastAt = at
  }

  #measure(timestamp: number, nowMs: number): void {
    const transit = (Math.round((nowMs * this.#clockRate) / 1000) - timestamp) | 0
    const difference = Math.abs((transit - this.#transit) | 0)
    this.#transit = transit
    // Seconds are no jitter: the sender's clock has jumped.
    if (this.#hasTransit && difference < 2 * this.#clockRate) {
      this.#jitter += (difference - this.#jitter) / 16
    }
    this.#hasTransit = true
  }

  #learnPtime(ticks: number): void {
    const ms = (ticks * 1000) / this.#clockRate
    if (ms <= 0 || ms > LONGEST_PTIME_MS) return
    // Twice in a row, so that a pause with a short step is not taken for one.
    if (ticks === this.#delta) this.ptime = ms
    this.#delta = ticks
  }
}
