/** RFC 4733 events 0 to 15, in order of their codes. */
const DIGITS = '0123456789*#ABCD'
/** Ticks of the 8000 Hz event clock in a millisecond. */
const CLOCK = 8

/** A digit that was received. */
export interface ReceivedDigit {
  digit: string
  /** Milliseconds. */
  duration: number
}

/**
 * The packets of one digit, one every `ptime` milliseconds; the last one is sent three times
 * (RFC 4733 §2.5.1.4).
 */
export function digitPackets(digit: string, milliseconds: number, ptime = 20): Buffer[] {
  const code = DIGITS.indexOf(digit.toUpperCase())
  if (code < 0 || digit.length !== 1) throw new RangeError(`${digit} is no DTMF digit`)
  const steps = Math.max(2, Math.round(milliseconds / ptime))
  const packets: Buffer[] = []
  for (let step = 1; step <= steps + 2; step++) {
    const end = step >= steps
    const duration = Math.min(step, steps) * ptime * CLOCK
    // -10 dBm0, the level phones use.
    packets.push(Buffer.from([code, (end ? 0x80 : 0) | 10, duration >> 8, duration & 0xff]))
  }
  return packets
}

/** Collects digits from event packets; updates and repeats of one event share its timestamp. */
export class DigitCollector {
  readonly #digits: ReceivedDigit[] = []
  #timestamp: number | undefined

  /** Takes the payload of a telephone-event packet. */
  feed(timestamp: number, payload: Buffer): void {
    const digit = payload.length >= 4 ? DIGITS[payload[0]!] : undefined
    if (digit === undefined) return
    const duration = payload.readUInt16BE(2) / 8
    const current = this.#digits.at(-1)
    if (current && this.#timestamp === timestamp) {
      current.duration = Math.max(current.duration, duration)
      return
    }
    this.#timestamp = timestamp
    if (this.#digits.length < 256) this.#digits.push({ digit, duration })
  }

  get digits(): readonly ReceivedDigit[] {
    return this.#digits
  }
}
