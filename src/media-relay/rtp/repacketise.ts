/** Octets of 20 ms of G.711. */
export const G711_FRAME = 160
/** 200 ms: what waits longer is older than it is worth. */
const CAPACITY = 10 * G711_FRAME

/**
 * Cuts G.711 payloads of any packet time into frames of 20 ms (160 octets), to be sent one at a time.
 * Holds at most 200 ms; beyond that the oldest audio is dropped.
 */
export class G711Repacketiser {
  /** Octets dropped because nobody took them in time. */
  dropped = 0
  readonly #ring = Buffer.allocUnsafeSlow(CAPACITY)
  #start = 0
  #octets = 0

  /** Whole frames that wait. */
  get frames(): number {
    return Math.floor(this.#octets / G711_FRAME)
  }

  /** Octets that wait. */
  get octets(): number {
    return this.#octets
  }

  /** Takes the payload between both offsets of `packet`. */
  push(packet: Buffer, start: number, end: number): void {
    if (end - start > CAPACITY) {
      this.dropped += end - start - CAPACITY
      start = end - CAPACITY
    }
    const excess = this.#octets + end - start - CAPACITY
    if (excess > 0) {
      // Whole frames, so that what is left keeps its rhythm.
      const gone = Math.min(this.#octets, Math.ceil(excess / G711_FRAME) * G711_FRAME)
      this.#start = (this.#start + gone) % CAPACITY
      this.#octets -= gone
      this.dropped += gone
    }
    const to = (this.#start + this.#octets) % CAPACITY
    this.#octets += end - start
    const first = Math.min(end - start, CAPACITY - to)
    packet.copy(this.#ring, to, start, start + first)
    if (start + first < end) packet.copy(this.#ring, 0, start + first, end)
  }

  /** Writes the next frame into `slot` at `at`. False: there is no whole frame. */
  next(slot: Buffer, at: number): boolean {
    if (this.#octets < G711_FRAME) return false
    const first = Math.min(G711_FRAME, CAPACITY - this.#start)
    this.#ring.copy(slot, at, this.#start, this.#start + first)
    if (first < G711_FRAME) this.#ring.copy(slot, at + first, 0, G711_FRAME - first)
    this.#start = (this.#start + G711_FRAME) % CAPACITY
    this.#octets -= G711_FRAME
    return true
  }

  /** Forgets what waits: another source begins. */
  clear(): void {
    this.#octets = 0
  }
}
