/**
 * Framing of the drachtio application protocol: `<len>#<payload>`, `len` in decimal bytes. Frames
 * arrive split and joined at will; a payload inside one chunk is not copied.
 */

const HASH = 0x23
const ZERO = 0x30

/** Cuts a byte stream into frame payloads. */
export class FrameReader {
  readonly #limit: number
  readonly #deliver: (payload: Buffer) => void
  #length = 0
  #digits = 0
  /** True while the bytes of a payload are collected. */
  #inPayload = false
  #parts: Buffer[] = []
  #have = 0
  #broken = false

  /** @param limit largest payload in bytes; a longer one breaks the stream. */
  constructor(limit: number, deliver: (payload: Buffer) => void) {
    this.#limit = limit
    this.#deliver = deliver
  }

  /**
   * Feeds bytes. Returns false when the stream is no frame stream (a length that is not a number,
   * or above the limit): nothing after it can be trusted and the connection is to be closed.
   */
  push(chunk: Buffer): boolean {
    let at = 0
    while (at < chunk.length && !this.#broken) {
      if (!this.#inPayload) {
        at = this.#readLength(chunk, at)
        if (this.#inPayload && this.#length === 0) this.#finish(chunk.subarray(at, at))
        continue
      }
      const take = Math.min(this.#length - this.#have, chunk.length - at)
      const part = chunk.subarray(at, at + take)
      at += take
      this.#have += take
      if (this.#have < this.#length) {
        this.#parts.push(part)
      } else if (this.#parts.length === 0) {
        this.#finish(part)
      } else {
        this.#parts.push(part)
        this.#finish(Buffer.concat(this.#parts, this.#length))
      }
    }
    return !this.#broken
  }

  /** Stops delivery, also in the middle of a chunk: the connection is being closed. */
  stop(): void {
    this.#broken = true
    this.#parts = []
  }

  #readLength(chunk: Buffer, at: number): number {
    for (; at < chunk.length; at++) {
      const byte = chunk[at]!
      if (byte === HASH && this.#digits > 0) {
        this.#inPayload = true
        return at + 1
      }
      const digit = byte - ZERO
      if (digit < 0 || digit > 9 || ++this.#digits > 9) {
        this.stop()
        return chunk.length
      }
      this.#length = this.#length * 10 + digit
      if (this.#length > this.#limit) {
        this.stop()
        return chunk.length
      }
    }
    return at
  }

  #finish(payload: Buffer): void {
    this.#parts = []
    this.#length = 0
    this.#digits = 0
    this.#have = 0
    this.#inPayload = false
    this.#deliver(payload)
  }
}

/**
 * One frame as bytes. `head` is leader and header text; `body` the bytes that follow it unchanged.
 */
export function encodeFrame(head: string, body?: Buffer): Buffer {
  const headBytes = Buffer.byteLength(head)
  const length = headBytes + (body?.length ?? 0)
  const prefix = `${length}#`
  const frame = Buffer.allocUnsafe(prefix.length + length)
  frame.write(prefix, 0, 'latin1')
  frame.write(head, prefix.length, headBytes === head.length ? 'latin1' : 'utf8')
  body?.copy(frame, prefix.length + headBytes)
  return frame
}
