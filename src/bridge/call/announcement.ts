import type { MediaEvent, MediaSession } from '../../media/index.ts'
import type { Clock, Timer } from '../../shared/clock.ts'

/** Longest announcement, milliseconds: the call ends after it, whatever the relay says. */
const LONGEST = 10 * 60_000

/** What the WhatsApp user hears while no PBX has answered, once WhatsApp is answered. */
export class Announcement {
  readonly #session: MediaSession
  readonly #file: string
  readonly #clock: Clock
  #finished: ((error?: unknown) => void) | undefined
  #timer: Timer | undefined
  #playing = false

  constructor(session: MediaSession, file: string, clock: Clock) {
    this.#session = session
    this.#file = file
    this.#clock = clock
  }

  /** Plays it over and over. `failed` hears when it cannot be played. */
  loop(failed: (error: unknown) => void): void {
    this.#playing = true
    this.#session.play('whatsapp', { file: this.#file, loop: true }).catch(failed)
  }

  /** Plays it once; `finished` is called at its end, or when it cannot be played. */
  once(finished: (error?: unknown) => void): void {
    if (this.#finished) return
    this.#playing = true
    this.#finished = finished
    this.#timer = this.#clock.setTimeout(() => this.#finish(), LONGEST)
    this.#session
      .play('whatsapp', { file: this.#file, loop: false })
      .catch((error: unknown) => this.#finish(error))
  }

  /** Ends it: a PBX has answered. */
  stop(failed: (error: unknown) => void): void {
    this.dispose()
    if (!this.#playing) return
    this.#playing = false
    this.#session.play('whatsapp', undefined).catch(failed)
  }

  /** The call has ended: nothing more is heard of it. */
  dispose(): void {
    this.#timer?.clear()
    this.#finished = undefined
  }

  onMedia(event: MediaEvent): void {
    if (event.type === 'played' && event.leg === 'whatsapp') this.#finish()
  }

  #finish(error?: unknown): void {
    const finished = this.#finished
    this.dispose()
    finished?.(error)
  }
}
