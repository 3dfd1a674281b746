import { KeyStreamAhead } from './key-stream.ts'
import { ReplayWindow } from './replay-window.ts'

/** SSRCs known at a time. */
const STREAMS = 8

/** What is kept of one SSRC under one master key (its cryptographic context, RFC 3711 §3.2.3). */
export class Stream {
  /** As signed 32-bit integer. */
  readonly ssrc: number
  rtp = new ReplayWindow()
  rtcp = new ReplayWindow()
  /** Highest RTP index under the key before, until the first packet under this one; else -1. */
  carried = -1
  readonly ahead = new KeyStreamAhead()
  /** Grows with use. */
  used = 0

  constructor(ssrc: number) {
    this.ssrc = ssrc
  }
}

/** The streams of one sender or receiver. */
export class Streams {
  #streams: Stream[] = []
  #latest: Stream | undefined
  #uses = 0

  get full(): boolean {
    return this.#streams.length >= STREAMS
  }

  find(ssrc: number): Stream | undefined {
    if (this.#latest?.ssrc === ssrc) return this.#latest
    for (const stream of this.#streams) if (stream.ssrc === ssrc) return stream
    return undefined
  }

  /** Takes note of use; a receiver does so for authentic packets only. */
  touch(stream: Stream): void {
    if (this.#latest === stream) return
    stream.used = ++this.#uses
    this.#latest = stream
  }

  /** Adds a stream; when there are too many, the one whose turn was longest ago is forgotten. */
  add(stream: Stream): Stream {
    if (this.full) {
      const oldest = this.#streams.reduce((a, b) => (b.used < a.used ? b : a))
      this.#streams.splice(this.#streams.indexOf(oldest), 1)
    }
    this.#streams.push(stream)
    this.touch(stream)
    return stream
  }

  /** Takes over every stream with its indices and windows: the same key goes on. */
  continueFrom(old: Streams): void {
    for (const { ssrc, rtp, rtcp, carried } of old.#byUse()) {
      const stream = this.add(new Stream(ssrc))
      stream.rtp = rtp.clone()
      stream.rtcp = rtcp.clone()
      stream.carried = carried
    }
  }

  /** Takes over where every stream is, as a guess: a new key begins (RFC 3711 §9.1 keeps the ROC). */
  carryFrom(old: Streams): void {
    for (const { ssrc, rtp, carried } of old.#byUse())
      this.add(new Stream(ssrc)).carried = Math.max(rtp.highest, carried)
  }

  #byUse(): Stream[] {
    return this.#streams.toSorted((a, b) => a.used - b.used)
  }
}
