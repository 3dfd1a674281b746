import type { Codec } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { lawOf } from '../../shared/g711.ts'
import { FRAME_SAMPLES } from './frame.ts'
import { G711Decoder, G711Encoder } from './g711.ts'
import { OpusDecoder, OpusEncoder } from './opus.ts'
import type { FrameDecoder, FrameEncoder, FrameSink } from './types.ts'

/** Converts one direction of a call. Nothing it is given makes it throw. */
export interface Transcoder {
  /**
   * Takes the received payload `packet[start..end)`: G.711 of any ptime, Opus of any frame size.
   * Calls `frame` for each 20 ms of the target that became complete; what is left over waits for the
   * next payload. A payload that cannot be decoded is concealed.
   */
  push(packet: Uint8Array, start: number, end: number, frame: FrameSink): void
  /**
   * Bridges `frames` lost frames, calling `frame` once for each. When the packet after the loss is at
   * hand, `next[start..end)`, its redundancy restores the last of them; it is pushed afterwards.
   */
  conceal(frames: number, frame: FrameSink, next?: Uint8Array, start?: number, end?: number): void
  /** Frees the codecs. Idempotent; later pushes do nothing. */
  close(): void
}

/** How a transcoder encodes. */
export interface TranscoderOptions {
  /** Complexity of the Opus encoder, 0 to 10. Default 5; 0 takes half the time, but sends no FEC. */
  complexity?: number
}

const COMPLEXITY = 5

/**
 * Makes the transcoder of one direction: opus↔PCMA, opus↔PCMU, PCMA↔PCMU, and either law to itself,
 * which only makes 20 ms of any ptime. Of `to`, the receiver's fmtp is obeyed.
 *
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC` (488) for any other pair
 */
export function createTranscoder(
  from: Codec,
  to: Codec,
  options: TranscoderOptions = {},
): Transcoder {
  const source = lawOf(from.name)
  const target = lawOf(to.name)
  if ((!source && !isOpus(from)) || (!target && !isOpus(to)) || (!source && !target)) {
    throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
      detail: `${from.name} cannot be converted to ${to.name}`,
    })
  }
  const { complexity = COMPLEXITY } = options
  return new FrameTranscoder(
    source ? new G711Decoder(source) : new OpusDecoder(),
    target ? new G711Encoder(target) : new OpusEncoder({ complexity, fmtp: to.fmtp }),
  )
}

function isOpus(codec: Codec): boolean {
  return codec.name.toLowerCase() === 'opus'
}

class FrameTranscoder implements Transcoder {
  readonly #decoder: FrameDecoder
  readonly #encoder: FrameEncoder
  readonly #pcm = new Int16Array(FRAME_SAMPLES)
  #filled = 0
  /** Samples of the last good packet: what a bad one most likely had. */
  #usual = FRAME_SAMPLES
  #closed = false

  constructor(decoder: FrameDecoder, encoder: FrameEncoder) {
    this.#decoder = decoder
    this.#encoder = encoder
  }

  push(packet: Uint8Array, start: number, end: number, frame: FrameSink): void {
    if (this.#closed) return
    const samples = this.#decoder.decode(packet, start, end)
    if (samples > 0) this.#usual = samples
    this.#take(samples > 0 ? samples : this.#decoder.conceal(this.#usual), frame)
  }

  conceal(frames: number, frame: FrameSink, next?: Uint8Array, start = 0, end = 0): void {
    for (let left = frames; left > 0 && !this.#closed; left--) {
      const restore = left === 1 && next !== undefined
      this.#take(
        restore ? this.#decoder.recover(next, start, end) : this.#decoder.conceal(FRAME_SAMPLES),
        frame,
      )
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#decoder.free()
    this.#encoder.free()
  }

  #take(samples: number, frame: FrameSink): void {
    const { pcm } = this.#decoder
    for (let i = 0; i < samples && !this.#closed; i++) {
      this.#pcm[this.#filled++] = pcm[i]!
      if (this.#filled < FRAME_SAMPLES) continue
      this.#filled = 0
      this.#encoder.encode(this.#pcm, frame)
    }
  }
}
