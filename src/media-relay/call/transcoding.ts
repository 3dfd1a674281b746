import type { LegMedia } from '../../media/anchor/types.ts'
import type { Codec } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { TranscodingBudget } from '../codec/index.ts'
import type { Leg } from './leg.ts'
import { sameFormat } from './route.ts'

/**
 * A call's share of the transcoding budget: a place for each leg of the PBX whose audio is converted
 * from or to Opus. One law of G.711 to the other costs next to nothing and needs none.
 */
export class Transcoding {
  readonly #budget: TranscodingBudget
  readonly #places = new Set<Leg>()

  constructor(budget: TranscodingBudget) {
    this.#budget = budget
  }

  /** Whether audio between both is converted. */
  converts(a: LegMedia | undefined, b: LegMedia | undefined): boolean {
    return a !== undefined && b !== undefined && !sameFormat(a.audio, b.audio)
  }

  /**
   * Takes the places a leg needs for what is about to be agreed on.
   *
   * @throws CausewayError `MEDIA_TRANSCODING_LIMIT`
   */
  reserve(leg: Leg, media: LegMedia, opposite: readonly Leg[]): void {
    for (const other of opposite) {
      if (!other.media || !costs(media.audio, other.media.audio)) continue
      this.#take(leg.id === 'whatsapp' ? other : leg)
    }
  }

  /** Whether a format that turned up on a leg may be converted, which takes a place if need be. */
  mayConvert(leg: Leg, from: Codec, to: Codec): boolean {
    if (!costs(from, to)) return true
    try {
      this.#take(leg)
      return true
    } catch {
      return false
    }
  }

  /** Gives back the places that what is agreed on does not need. */
  settle(whatsapp: Leg | undefined, others: readonly (Leg | undefined)[]): void {
    for (const leg of this.#places) {
      const [a, b] = [leg.media?.audio, whatsapp?.media?.audio]
      const needed = others.includes(leg) && a && b && costs(a, b)
      if (!needed) this.#give(leg)
    }
  }

  close(): void {
    for (const leg of this.#places) this.#give(leg)
  }

  #take(leg: Leg): void {
    if (this.#places.has(leg)) return
    if (!this.#budget.take()) {
      const { active, limit } = this.#budget
      throw new CausewayError('MEDIA_TRANSCODING_LIMIT', { detail: `${active} of ${limit}` })
    }
    this.#places.add(leg)
  }

  #give(leg: Leg): void {
    this.#places.delete(leg)
    this.#budget.give()
  }
}

function costs(a: Codec, b: Codec): boolean {
  return !sameFormat(a, b) && (isOpus(a) || isOpus(b))
}

function isOpus(codec: Codec): boolean {
  return codec.name.toLowerCase() === 'opus'
}
