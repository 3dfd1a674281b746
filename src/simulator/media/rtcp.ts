import type { Clock, Timer } from '../../shared/clock.ts'
import type { ReceptionBlock } from './receiver.ts'

/** RFC 3550 §12.1. */
const TYPE = { sr: 200, rr: 201, sdes: 202 }
const CNAME = 1
/** RFC 3550 §6.2: five seconds at the least between reports. */
const INTERVAL = 5000
/** Seconds from 1900 to 1970. */
const NTP_EPOCH = 2_208_988_800

/** What a report tells of our own stream. */
export interface SentStream {
  ssrc: number
  /** Timestamp of the next packet. */
  timestamp: number
  packets: number
  octets: number
}

/** How reports are made. */
export interface RtcpReporterOptions {
  clock: Clock
  cname: string
  /** Undefined before anything is sent. */
  sent: () => SentStream | undefined
  received: () => ReceptionBlock | undefined
  send: (packet: Buffer) => void
}

/** Sends compound reports every five seconds (RFC 3550 §6.1): SR with what is heard, SDES with CNAME. */
export class RtcpReporter {
  readonly #options: RtcpReporterOptions
  #timer: Timer | undefined
  #lastSr: { middle: number; at: number } | undefined

  constructor(options: RtcpReporterOptions) {
    this.#options = options
  }

  /** Sends the first report at once. Idempotent. */
  start(): void {
    if (this.#timer) return
    this.#report()
  }

  stop(): void {
    this.#timer?.clear()
    this.#timer = undefined
  }

  /** Takes a compound packet of the other side, for its round trip measurement. */
  receive(packet: Buffer): void {
    for (let at = 0; at + 8 <= packet.length; ) {
      const length = (packet.readUInt16BE(at + 2) + 1) * 4
      if (packet[at + 1] === TYPE.sr && at + 20 <= packet.length) {
        const middle = packet.readUInt32BE(at + 10)
        this.#lastSr = { middle, at: this.#options.clock.monotonic() }
      }
      at += length
    }
  }

  #report(): void {
    const { clock, send } = this.#options
    const packet = this.#compose()
    if (packet) send(packet)
    this.#timer = clock.setTimeout(() => this.#report(), INTERVAL)
  }

  #compose(): Buffer | undefined {
    const { clock, cname, sent, received } = this.#options
    const stream = sent()
    if (!stream) return undefined
    const block = received()
    const report = Buffer.alloc(28 + (block ? 24 : 0))
    report[0] = 0x80 | (block ? 1 : 0)
    report[1] = TYPE.sr
    report.writeUInt16BE(report.length / 4 - 1, 2)
    report.writeUInt32BE(stream.ssrc, 4)
    const now = clock.now()
    report.writeUInt32BE((Math.floor(now / 1000) + NTP_EPOCH) >>> 0, 8)
    report.writeUInt32BE(Math.floor(((now % 1000) / 1000) * 2 ** 32) >>> 0, 12)
    report.writeUInt32BE(stream.timestamp, 16)
    report.writeUInt32BE(stream.packets >>> 0, 20)
    report.writeUInt32BE(stream.octets >>> 0, 24)
    if (block) this.#block(report.subarray(28), block)
    return Buffer.concat([report, sourceDescription(stream.ssrc, cname)])
  }

  #block(into: Buffer, block: ReceptionBlock): void {
    into.writeUInt32BE(block.ssrc, 0)
    into[4] = block.fractionLost
    into.writeUIntBE(Math.min(0x7fffff, block.lost), 5, 3)
    into.writeUInt32BE(block.highest, 8)
    into.writeUInt32BE(block.jitter, 12)
    const last = this.#lastSr
    if (!last) return
    into.writeUInt32BE(last.middle, 16)
    const delay = (this.#options.clock.monotonic() - last.at) / 1000
    into.writeUInt32BE(Math.floor(delay * 65536) >>> 0, 20)
  }
}

function sourceDescription(ssrc: number, cname: string): Buffer {
  const name = Buffer.from(cname)
  // Items end with a zero octet and fill a word.
  const packet = Buffer.alloc(8 + Math.ceil((name.length + 3) / 4) * 4)
  packet[0] = 0x81
  packet[1] = TYPE.sdes
  packet.writeUInt16BE(packet.length / 4 - 1, 2)
  packet.writeUInt32BE(ssrc, 4)
  packet[8] = CNAME
  packet[9] = name.length
  name.copy(packet, 10)
  return packet
}
