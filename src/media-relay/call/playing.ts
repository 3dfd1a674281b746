import type { Playback } from '../../media/anchor/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { lawOf } from '../../shared/g711.ts'
import { type AudioCodec, type AudioFile, Player } from '../audio/index.ts'
import type { EngineParts } from './engine.ts'
import type { Leg } from './leg.ts'

interface Playlist {
  playback: Playback
  file: AudioFile
  /** Format it is being played in; undefined until there is one. */
  codec: string | undefined
}

/** What is played to the legs of a call. */
export class Playing {
  readonly #parts: EngineParts
  readonly #onPlayed: (leg: Leg, file: string) => void
  readonly #lists = new Map<Leg, Playlist>()
  /** The last request for each leg: loading takes time, and only the last one counts. */
  readonly #wanted = new Map<Leg, Playback>()

  constructor(parts: EngineParts, onPlayed: (leg: Leg, file: string) => void) {
    this.#parts = parts
    this.#onPlayed = onPlayed
  }

  /**
   * Plays to a leg, as soon as it has a format; undefined stops.
   *
   * @throws CausewayError `MEDIA_FILE_INVALID`
   */
  async play(leg: Leg, playback: Playback | undefined): Promise<void> {
    if (!playback) {
      this.stop(leg)
      return
    }
    this.#wanted.set(leg, playback)
    const file = await this.#parts.library.get(playback.file)
    if (this.#wanted.get(leg) !== playback) return
    this.#lists.set(leg, { playback, file, codec: undefined })
    this.agreed(leg)
  }

  /** The leg has agreed on a format, perhaps another one. */
  agreed(leg: Leg): void {
    const list = this.#lists.get(leg)
    const codec = leg.media?.audio.name
    if (!list || codec === undefined || codec === list.codec) return
    const known = audioCodec(codec)
    if (!known) {
      throw new CausewayError('MEDIA_NO_COMMON_CODEC', { detail: `nothing is played in ${codec}` })
    }
    list.codec = codec
    const { file, playback } = list
    const player = new Player(file.frames(known), playback.loop)
    leg.outlet.play(player, this.#parts.clock.monotonic(), () => {
      this.stop(leg)
      this.#onPlayed(leg, playback.file)
    })
  }

  stop(leg: Leg): void {
    this.#wanted.delete(leg)
    if (!this.#lists.delete(leg)) return
    leg.outlet.play(undefined, this.#parts.clock.monotonic(), () => {})
  }
}

function audioCodec(name: string): AudioCodec | undefined {
  return name.toLowerCase() === 'opus' ? 'opus' : lawOf(name)
}
