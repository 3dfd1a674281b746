import { TRAILER } from '../io/types.ts'

/** Octets of the longest RTP packet we send. */
export const LONGEST_PACKET = 1500

const SLOTS = 1024

/**
 * Buffers for packets on their way out, used in turn. A socket that cannot send at once keeps the
 * buffer it was given, so it must not be filled again too soon.
 */
export class Ring {
  readonly #slots: Buffer[]
  #next = 0

  constructor() {
    const size = LONGEST_PACKET + TRAILER
    const memory = Buffer.allocUnsafeSlow(SLOTS * size)
    this.#slots = Array.from({ length: SLOTS }, (_, index) =>
      memory.subarray(index * size, (index + 1) * size),
    )
  }

  next(): Buffer {
    this.#next = (this.#next + 1) % SLOTS
    return this.#slots[this.#next]!
  }
}
