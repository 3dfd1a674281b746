import { codesOf, type Law, samplesOf } from '../../shared/g711.ts'
import { FRAME_SAMPLES } from './frame.ts'
import type { FrameDecoder, FrameEncoder, FrameSink } from './types.ts'

/** 200 ms in one packet: more is no audio of a call. */
const MAX_SAMPLES = 1600
/** A loss fades out within 60 ms. */
const FADE = 480

/** G.711 to samples; a loss is bridged by what was heard last, played back and forth and fading. */
export class G711Decoder implements FrameDecoder {
  readonly pcm = new Int16Array(MAX_SAMPLES)
  readonly #table: Int16Array
  readonly #heard = new Int16Array(FRAME_SAMPLES)
  #concealed = 0

  constructor(law: Law) {
    this.#table = samplesOf(law)
  }

  decode(packet: Uint8Array, start: number, end: number): number {
    const count = Math.min(end - start, MAX_SAMPLES)
    if (count <= 0) return 0
    for (let i = 0; i < count; i++) this.pcm[i] = this.#table[packet[start + i]!]!
    this.#remember(count)
    this.#concealed = 0
    return count
  }

  conceal(samples: number): number {
    const count = Math.min(samples, MAX_SAMPLES)
    for (let i = 0; i < count; i++) {
      const left = FADE - this.#concealed
      if (left <= 0) {
        this.pcm[i] = 0
        continue
      }
      const at = this.#concealed++ % (2 * FRAME_SAMPLES)
      const source = at < FRAME_SAMPLES ? FRAME_SAMPLES - 1 - at : at - FRAME_SAMPLES
      this.pcm[i] = (this.#heard[source]! * left) / FADE
    }
    return count
  }

  /** G.711 has no redundancy. */
  recover(): number {
    return this.conceal(FRAME_SAMPLES)
  }

  free(): void {}

  #remember(count: number): void {
    const kept = Math.max(FRAME_SAMPLES - count, 0)
    if (kept > 0) this.#heard.copyWithin(0, FRAME_SAMPLES - kept)
    for (let i = kept, from = count - (FRAME_SAMPLES - kept); i < FRAME_SAMPLES; i++, from++) {
      this.#heard[i] = this.pcm[from]!
    }
  }
}

/** Samples to G.711. */
export class G711Encoder implements FrameEncoder {
  readonly #table: Uint8Array
  readonly #payload = new Uint8Array(FRAME_SAMPLES)

  constructor(law: Law) {
    this.#table = codesOf(law)
  }

  encode(pcm: Int16Array, frame: FrameSink): void {
    for (let i = 0; i < FRAME_SAMPLES; i++) this.#payload[i] = this.#table[pcm[i]! & 0xffff]!
    frame(this.#payload, FRAME_SAMPLES)
  }

  free(): void {}
}
