import type { MediaEvent, MediaSession } from '../../media/index.ts'

/** What a hold leaves of the PBX's media: nothing, or music of the PBX's own, perhaps. */
type Hold = 'silent' | 'perhaps music'

/**
 * Music for WhatsApp while the PBX holds and sends none itself. At once where the PBX says that it
 * will not send; otherwise after a second of silence (the relay tells).
 */
export class HoldMusic {
  readonly #session: MediaSession
  readonly #file: string
  readonly #onError: (error: unknown) => void
  #hold: Hold | undefined
  #playing = false

  constructor(session: MediaSession, file: string, onError: (error: unknown) => void) {
    this.#session = session
    this.#file = file
    this.#onError = onError
  }

  /** The PBX has described its side anew. */
  described(sdp: string): void {
    this.#hold = holdOf(sdp)
    if (this.#hold === 'silent') this.#play()
    else this.stop()
  }

  /** The PBX leg has gone, and another is on its way. */
  alone(): void {
    this.#hold = 'silent'
    this.#play()
  }

  /** Another PBX leg is there. */
  over(): void {
    this.#hold = undefined
    this.stop()
  }

  onMedia(event: MediaEvent): void {
    if (this.#hold !== 'perhaps music') return
    if (event.type === 'silence' && event.leg === 'pbx') this.#play()
    // The PBX has music of its own after all.
    else if (isHeard(event)) this.stop()
  }

  /** Ends the music; what the PBX sends is heard again. */
  stop(): void {
    if (!this.#playing) return
    this.#playing = false
    this.#session.play('whatsapp', undefined).catch(this.#onError)
  }

  #play(): void {
    if (this.#playing) return
    this.#playing = true
    this.#session.play('whatsapp', { file: this.#file, loop: true }).catch(this.#onError)
  }
}

/** Whether the PBX's audio has come, or come back. */
function isHeard(event: MediaEvent): boolean {
  return (event.type === 'media-up' || event.type === 'sound') && event.leg === 'pbx'
}

/**
 * Whether a description holds (RFC 3264 §8.4): `inactive` and the older `0.0.0.0` send nothing,
 * `sendonly` may send music. Looks at the audio stream, where the session's lines count too.
 */
export function holdOf(sdp: string): Hold | undefined {
  const [session = '', ...streams] = sdp.split(/^(?=m=)/m)
  const audio = streams.find((part) => /^m=audio (?!0 )/.test(part)) ?? ''
  const address = lastOf(audio, ADDRESS) ?? lastOf(session, ADDRESS)
  const direction = lastOf(audio, DIRECTION) ?? lastOf(session, DIRECTION)
  if (direction === 'inactive' || address === '0.0.0.0' || address === '::') return 'silent'
  return direction === 'sendonly' ? 'perhaps music' : undefined
}

const ADDRESS = /^c=IN IP[46] (\S+)/m
const DIRECTION = /^a=(sendrecv|sendonly|recvonly|inactive)\s*$/m

function lastOf(text: string, pattern: RegExp): string | undefined {
  return pattern.exec(text)?.[1]
}
