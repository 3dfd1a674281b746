/** A frame that waits: its place in the source's coordinates and its payload. */
export interface QueuedFrame {
  ssrc: number
  sequence: number
  timestamp: number
  readonly payload: Uint8Array
  octets: number
}

const CAPACITY = 16
/** Longest frame kept: 20 ms of Opus at more than 100 kbit/s, or of G.711. */
const LONGEST = 320

/**
 * Frames of a packet that held several, waiting for their turn. Made of reused places, which are
 * only there once they are needed; when it is full the oldest frame gives way.
 */
export class FrameQueue {
  #places: QueuedFrame[] = []
  #first = 0
  size = 0

  /** The frame whose turn is next; only with `size` above 0. Valid until the next push. */
  get head(): QueuedFrame {
    return this.#places[this.#first]!
  }

  push(
    ssrc: number,
    sequence: number,
    timestamp: number,
    payload: Uint8Array,
    octets: number,
  ): void {
    if (octets > LONGEST) return
    if (this.#places.length === 0) this.#places = Array.from({ length: CAPACITY }, emptyFrame)
    if (this.size === CAPACITY) this.shift()
    const place = this.#places[(this.#first + this.size) % CAPACITY]!
    place.ssrc = ssrc
    place.sequence = sequence
    place.timestamp = timestamp
    place.octets = octets
    for (let i = 0; i < octets; i++) place.payload[i] = payload[i]!
    this.size++
  }

  shift(): void {
    this.#first = (this.#first + 1) % CAPACITY
    this.size--
  }

  clear(): void {
    this.size = 0
  }
}

function emptyFrame(): QueuedFrame {
  return { ssrc: 0, sequence: 0, timestamp: 0, payload: new Uint8Array(LONGEST), octets: 0 }
}
