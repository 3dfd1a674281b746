import { TRAILER } from '../io/types.ts'

/** Octets of the longest RTP packet we send. */
export const LONGEST_PACKET = 1500
/** Octets of a packet that fits a short slot: 20 ms of G.711, and of Opus up to 80 kbit/s. */
const SHORT_PACKET = 224

const SLOTS = 1024

/**
 * Buffers for packets on their way out, used in turn. A socket that cannot send at once keeps the
 * buffer it was given, so it must not be filled again too soon. Nearly all packets are short and have
 * slots of their own, all of which stay in the processor's cache.
 */
export class Ring {
  readonly #short = slots(SHORT_PACKET)
  readonly #long = slots(LONGEST_PACKET)
  #next = 0

  /** A slot for a packet of up to `length` octets. */
  next(length: number): Buffer {
    this.#next = (this.#next + 1) % SLOTS
    return (length <= SHORT_PACKET ? this.#short : this.#long)[this.#next]!
  }
}

function slots(length: number): Buffer[] {
  const size = length + TRAILER
  const memory = Buffer.allocUnsafeSlow(SLOTS * size)
  return Array.from({ length: SLOTS }, (_, index) =>
    memory.subarray(index * size, (index + 1) * size),
  )
}
