import type { Random } from '../../shared/random.ts'
import { formatAudio, type Origin } from './format.ts'
import type { AudioDescription } from './types.ts'

/**
 * Writes the descriptions of one dialog: one session id for its life, and an o= version that grows
 * by one whenever the text changes, and only then (RFC 3264 §8).
 */
export class DescriptionWriter {
  readonly #origin: Origin
  #last: string | undefined

  constructor(random: Random) {
    this.#origin = { sessionId: String(random.int(1, 2 ** 47)), version: 1 }
  }

  write(audio: AudioDescription): string {
    const same = formatAudio(audio, this.#origin)
    if (this.#last === undefined || this.#last === same) {
      this.#last = same
      return same
    }
    this.#origin.version++
    this.#last = formatAudio(audio, this.#origin)
    return this.#last
  }
}
