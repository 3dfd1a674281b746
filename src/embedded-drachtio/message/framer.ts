import { tokenEnd } from './grammar.ts'
import { defaultLimits } from './limits.ts'
import { parseMessage } from './parse.ts'
import { SipParseError } from './parse-error.ts'
import type { MessageLimits } from './types.ts'

/** What a stream holds, in order. */
export interface FramerEvents {
  /** One whole message, head to the end of its body. The memory is never written again. */
  message(bytes: Buffer): void
  /** CRLFCRLF between messages: answer with CRLF (RFC 5626 §4.4.1). */
  ping(): void
  /** A single CRLF between messages: the answer to our own ping. */
  pong?(): void
  /**
   * The stream cannot be followed any further. Answer `error.partial` with `error.status` when it
   * is there, then close. Nothing is reported after this.
   */
  error(error: SipParseError): void
}

const blankLine = Buffer.from('\r\n\r\n')
const CR = 13
const LF = 10

/**
 * Cuts a TCP or TLS stream into messages by Content-Length (RFC 3261 §18.3). Memory is bounded by
 * the message limit plus one chunk, and work is linear in the bytes, however they are split.
 */
export class StreamFramer {
  readonly #events: FramerEvents
  readonly #limits: MessageLimits
  /** Bytes not yet reported, in `#buffer[0, #length)`. */
  #buffer: Buffer = Buffer.alloc(0)
  #length = 0
  /** Where the search for the blank line goes on, relative to the message. */
  #searched = 0
  /** Size of the message at the front once its head is read; 0 before. */
  #wanted = 0
  #halfPing = false
  #ended = false

  constructor(events: FramerEvents, limits: MessageLimits = defaultLimits) {
    this.#events = events
    this.#limits = limits
  }

  /** Bytes held back until their message is complete. */
  get pending(): number {
    return this.#length
  }

  /** A ping of ours goes out: a CRLF that comes now answers it, and is no half of a ping before. */
  pinged(): void {
    this.#halfPing = false
  }

  /** Takes the next bytes of the stream, which must not be written to afterwards. */
  push(chunk: Buffer): void {
    if (this.#ended || chunk.length === 0) return
    let data = chunk
    if (this.#length > 0) {
      this.#append(chunk)
      if (this.#length < this.#wanted) return
      data = this.#buffer.subarray(0, this.#length)
    }
    const rest = this.#consume(data)
    if (this.#ended || rest === data.length) {
      this.#buffer = blankLine.subarray(0, 0)
      this.#length = 0
    } else if (rest > 0 || this.#length === 0) {
      const left = data.length - rest
      // Capacity doubles when more comes, so a stream fed byte by byte still costs linear work.
      this.#buffer = Buffer.allocUnsafeSlow(Math.max(left, Math.min(this.#wanted, 65536), 512))
      this.#buffer.set(data.subarray(rest))
      this.#length = left
    }
  }

  #append(chunk: Buffer): void {
    const needed = this.#length + chunk.length
    if (needed > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
      larger.set(this.#buffer.subarray(0, this.#length))
      this.#buffer = larger
    }
    this.#buffer.set(chunk, this.#length)
    this.#length = needed
  }

  /** Reports what is complete in `data`; returns the index of the first byte still needed. */
  #consume(data: Buffer): number {
    let at = 0
    while (at < data.length) {
      if (this.#wanted === 0) {
        const begin = this.#keepalives(data, at)
        if (begin !== at) {
          at = begin
          continue
        }
        if (data[at] === CR && at + 1 === data.length) return at
        if (!this.#readHead(data, at)) return at
      }
      const end = at + this.#wanted
      if (data.length < end) return at
      this.#wanted = 0
      this.#searched = 0
      this.#events.message(data.subarray(at, end))
      at = end
      if (this.#ended) return at
    }
    return at
  }

  /** Skips one CRLF or CRLFCRLF at the start of a message. */
  #keepalives(data: Buffer, at: number): number {
    if (data[at] !== CR || data[at + 1] !== LF) {
      if (data[at] !== CR) this.#halfPing = false
      return at
    }
    if (this.#halfPing) {
      this.#halfPing = false
      this.#events.ping()
      return at + 2
    }
    if (data[at + 2] === CR && data[at + 3] === LF) {
      this.#events.ping()
      return at + 4
    }
    // Alone so far: a pong, unless the second half of a ping follows.
    this.#halfPing = true
    this.#events.pong?.()
    return at + 2
  }

  /** Finds the end of the head and the size of the message; false when more bytes are needed. */
  #readHead(data: Buffer, at: number): boolean {
    const first = data[at]!
    if (tokenEnd(String.fromCharCode(first), 0) === 0) return this.#fail('no SIP message', 400)
    const found = data.indexOf(blankLine, at + this.#searched)
    const headLength = found < 0 ? data.length - at : found + 4 - at
    if (headLength > this.#limits.messageBytes) return this.#fail('message too large', 513)
    if (found < 0) {
      this.#searched = Math.max(0, headLength - 3)
      return false
    }
    const head = data.subarray(at, at + headLength)
    const length = contentLength(head.toString('latin1'))
    if (typeof length === 'string') return this.#fail(length, 400, head)
    if (headLength + length > this.#limits.messageBytes) {
      return this.#fail('message too large', 513, head)
    }
    this.#wanted = headLength + length
    return true
  }

  #fail(reason: string, status: number, head?: Buffer): false {
    this.#ended = true
    this.#events.error(new SipParseError(reason, status, head && partialOf(head, this.#limits)))
    return false
  }
}

/** The Content-Length of a head, or what is wrong with it. */
function contentLength(head: string): number | string {
  let length = -1
  for (const [, digits] of head.matchAll(
    /\r\n(?:content-length|l)[ \t]*:[ \t]*(?:\r\n[ \t]+)?([^\r\n]*)/gi,
  )) {
    const value = /^(\d{1,10})[ \t]*$/.exec(digits!)
    if (!value) return 'malformed Content-Length'
    if (length >= 0 && length !== Number(value[1])) return 'contradicting Content-Length'
    length = Number(value[1])
  }
  // RFC 3261 §18.3: on a stream the end of the body is known by it alone.
  return length < 0 ? 'no Content-Length on a stream' : length
}

/** What can be answered of a message whose body will never be read. */
function partialOf(head: Buffer, limits: MessageLimits): SipParseError['partial'] {
  try {
    const message = parseMessage(head, limits)
    return message.kind === 'request' ? message : undefined
  } catch (error) {
    return error instanceof SipParseError ? error.partial : undefined
  }
}
