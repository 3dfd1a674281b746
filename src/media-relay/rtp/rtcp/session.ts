import type { StreamReport } from '../../../media/anchor/report.ts'
import type { Random } from '../../../shared/random.ts'
import type { OutgoingStream } from '../outgoing.ts'
import { meanOpinion } from '../quality.ts'
import type { ReceiveStatistics } from '../receive-statistics.ts'
import {
  type ReportBlock,
  type SenderInfo,
  writeDescription,
  writeGoodbye,
  writeReport,
} from './build.ts'
import { type RtcpEvents, readRtcp } from './parse.ts'

/** Milliseconds between reports on average (RFC 3550 §6.2: the minimum interval). */
const INTERVAL_MS = 5000
/** Seconds from 1900, where NTP begins, to 1970. */
const NTP_EPOCH = 2_208_988_800
/** A round trip above this, in milliseconds, is a remote's arithmetic. */
const LONGEST_RTT_MS = 60_000

/** What an {@link RtcpSession} reports on. */
export interface RtcpSessionOptions {
  cname: string
  /** What we send on the leg. */
  outgoing: OutgoingStream
  /** What we receive on the leg. */
  statistics: ReceiveStatistics
  random: Random
  /** The same moment, monotonic and since the Unix epoch; steps of the wall clock do no harm later. */
  nowMs: number
  wallMs: number
}

/**
 * RTCP of one leg (RFC 3550 §6): an SR or RR with SDES every 5 s, give or take a half at random, and
 * what the remote reports. `nowMs` is monotonic.
 */
export class RtcpSession implements RtcpEvents {
  /** Of the last report with our last SR in it; undefined before. */
  rttMs: number | undefined
  /** What the remote's last report says of our stream; undefined before the first. */
  remoteLost: number | undefined
  remoteJitterMs: number | undefined
  /** Compound packets sent and received, malformed ones received. */
  sent = 0
  received = 0
  malformed = 0

  readonly #cname: string
  readonly #outgoing: OutgoingStream
  readonly #statistics: ReceiveStatistics
  readonly #random: Random
  readonly #wallOffset: number
  #nextAt: number
  #sentPackets = 0
  #goodbyeOf: number | undefined
  /** The last sender report: whose, its time, and when it came. */
  #reporter = -1
  #reportMiddle = 0
  #reportedAt = 0
  #now = 0
  readonly #block: ReportBlock = {
    ssrc: 0,
    fractionLost: 0,
    cumulativeLost: 0,
    extendedHighest: 0,
    jitter: 0,
    lastSenderReport: 0,
    delay: 0,
  }
  readonly #sender: SenderInfo = {
    ntpSeconds: 0,
    ntpFraction: 0,
    timestamp: 0,
    packets: 0,
    octets: 0,
  }

  constructor(options: RtcpSessionOptions) {
    this.#cname = options.cname
    this.#outgoing = options.outgoing
    this.#statistics = options.statistics
    this.#random = options.random
    this.#wallOffset = options.wallMs - options.nowMs
    // The first comes after half the time (RFC 3550 §6.2).
    this.#nextAt = options.nowMs + this.#interval() / 2
  }

  /** Whether the remote has sent a BYE, and has not gone on with another SSRC since. */
  get goodbye(): boolean {
    const { ssrc } = this.#statistics
    return this.#goodbyeOf !== undefined && (ssrc === undefined || ssrc === this.#goodbyeOf)
  }

  /** When the next report is to be written. */
  get dueAt(): number {
    return this.#nextAt
  }

  /** Whether a report is to be written now. */
  due(nowMs: number): boolean {
    return nowMs >= this.#nextAt
  }

  /**
   * Writes a compound packet, an SR if audio was sent since the last one, else an RR, and sets the time
   * of the next. Gives its length, at most 316 octets.
   */
  write(slot: Buffer, nowMs: number): number {
    this.#nextAt = nowMs + this.#interval()
    this.sent++
    return writeDescription(slot, this.#writeReport(slot, nowMs), this.#outgoing.ssrc, this.#cname)
  }

  /** Writes the compound packet that ends our stream: report, SDES, BYE. Gives its length. */
  writeGoodbye(slot: Buffer, nowMs: number): number {
    return writeGoodbye(slot, this.write(slot, nowMs), this.#outgoing.ssrc)
  }

  /** Takes a compound packet in the clear. False when it is malformed, which changes nothing. */
  receive(packet: Buffer, length: number, nowMs: number): boolean {
    this.#now = nowMs
    if (!readRtcp(packet, length, this)) {
      this.malformed++
      return false
    }
    this.received++
    return true
  }

  onSenderReport(ssrc: number, ntpSeconds: number, ntpFraction: number): void {
    this.#reporter = ssrc
    this.#reportMiddle = ((ntpSeconds << 16) | (ntpFraction >>> 16)) >>> 0
    this.#reportedAt = this.#now
  }

  onReportBlock(_reporter: number, block: ReportBlock): void {
    if (block.ssrc !== this.#outgoing.ssrc) return
    this.remoteLost = block.cumulativeLost
    this.remoteJitterMs = (block.jitter * 1000) / this.#outgoing.clockRate
    if (block.lastSenderReport === 0) return
    // RFC 3550 §6.4.1: A - LSR - DLSR, in 1/65536 s.
    const middle = Math.floor((this.#ntp(this.#now) * 65.536) % 2 ** 32)
    const rtt = ((middle - block.lastSenderReport - block.delay) | 0) / 65.536
    // Rounding may put it a little below zero.
    if (rtt > -5 && rtt < LONGEST_RTT_MS) this.rttMs = Math.max(0, rtt)
  }

  onGoodbye(ssrc: number): void {
    this.#goodbyeOf = ssrc
  }

  /** What was sent, as far as the remote's reports tell; `codec` (rtpmap name) to judge the quality. */
  report(codec?: string): StreamReport {
    const packets = this.#outgoing.packets
    const lost = Math.max(0, this.remoteLost ?? 0)
    const lossRate = packets > 0 ? Math.min(1, lost / packets) : 0
    const jitterMs = this.remoteJitterMs ?? 0
    const judged = codec !== undefined && this.remoteLost !== undefined && packets > 0
    return {
      packets,
      octets: this.#outgoing.octets,
      lost,
      lossRate,
      burstRate: 0,
      jitterMs,
      reordered: 0,
      duplicates: 0,
      firstPacketAfterMs: undefined,
      longestGapMs: 0,
      mos: judged
        ? meanOpinion({ codec, lossRate, meanLossRun: 1, jitterMs, rttMs: this.rttMs, ptimeMs: 20 })
        : undefined,
    }
  }

  #interval(): number {
    return INTERVAL_MS / 2 + this.#random.int(0, INTERVAL_MS)
  }

  /** Milliseconds since 1900. */
  #ntp(nowMs: number): number {
    return nowMs + this.#wallOffset + NTP_EPOCH * 1000
  }

  #writeReport(slot: Buffer, nowMs: number): number {
    const outgoing = this.#outgoing
    const sends = outgoing.packets > this.#sentPackets
    this.#sentPackets = outgoing.packets
    if (sends) {
      const ntp = this.#ntp(nowMs)
      const sender = this.#sender
      sender.ntpSeconds = Math.floor(ntp / 1000)
      sender.ntpFraction = Math.floor(((ntp % 1000) / 1000) * 2 ** 32)
      sender.timestamp = outgoing.timestampAt(nowMs)
      sender.packets = outgoing.packets
      sender.octets = outgoing.octets
    }
    const heard = this.#statistics.ssrc !== undefined
    if (heard) this.#fillBlock(nowMs)
    return writeReport(
      slot,
      0,
      outgoing.ssrc,
      sends ? this.#sender : undefined,
      heard ? this.#block : undefined,
    )
  }

  #fillBlock(nowMs: number): void {
    const statistics = this.#statistics
    const block = this.#block
    block.ssrc = statistics.ssrc!
    block.cumulativeLost = statistics.cumulativeLost
    block.fractionLost = statistics.takeFractionLost()
    block.extendedHighest = statistics.extendedHighest
    block.jitter = statistics.jitter
    const known = this.#reporter === statistics.ssrc
    block.lastSenderReport = known ? this.#reportMiddle : 0
    block.delay = known ? Math.round((nowMs - this.#reportedAt) * 65.536) : 0
  }
}
