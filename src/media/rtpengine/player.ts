import { readFile, stat } from 'node:fs/promises'
import type { Clock, Timer } from '../../shared/clock.ts'
import type { LegId, MediaEvent, Playback } from '../anchor/types.ts'
import type { NgDictionary } from './client.ts'

/** Largest file that goes along with the command, in one datagram; others rtpengine has to read. */
const LARGEST = 60_000
/** Often enough for any call. */
const FOR_EVER = 1_000_000

/** What a player needs of its call. */
export interface PlayerContext {
  clock: Clock
  ask(command: string, parameters: NgDictionary): Promise<NgDictionary>
  tell(event: MediaEvent): void
}

/** Plays files to the sides of a call, and silence to WhatsApp while nobody else sends to it. */
export class Player {
  readonly #context: PlayerContext
  /** Sides that hear a file. */
  readonly #playing = new Map<string, Timer | undefined>()
  #filling = false

  constructor(context: PlayerContext) {
    this.#context = context
  }

  /** Whether WhatsApp is fed with silence. */
  get filling(): boolean {
    return this.#filling
  }

  /**
   * Plays to a side instead of what the other sends; undefined stops.
   *
   * @param other tag of the other side
   * @throws CausewayError `MEDIA_FILE_INVALID`
   */
  async play(leg: LegId, tag: string, other: string, playback: Playback | undefined) {
    this.#forget(tag)
    if (tag === 'whatsapp') this.#filling = false
    if (!playback) {
      await this.#stop(tag)
      await this.#context.ask('unblock media', { 'from-tag': other })
      return
    }
    this.#playing.set(tag, undefined)
    try {
      const { file, loop } = playback
      // Or both would be sent, each with an SSRC of its own.
      await this.#context.ask('block media', { 'from-tag': other })
      const reply = await this.#context.ask('play media', {
        'from-tag': tag,
        ...(await source(file)),
        'repeat-times': loop ? FOR_EVER : 1,
      })
      if (loop || !this.#playing.has(tag)) return
      const ended = (): void => {
        this.#playing.delete(tag)
        this.#context.ask('unblock media', { 'from-tag': other }).catch(() => {})
        this.#context.tell({ type: 'played', leg, file })
      }
      const duration = reply['duration']
      this.#playing.set(
        tag,
        this.#context.clock.setTimeout(ended, typeof duration === 'number' ? duration : 0),
      )
    } catch (error) {
      this.#forget(tag)
      throw error
    }
  }

  /** Begins or ends silence for WhatsApp, unless a file is played. */
  async fill(wanted: boolean): Promise<void> {
    if (wanted === this.#filling || this.#playing.has('whatsapp')) return
    this.#filling = wanted
    if (!wanted) {
      await this.#stop('whatsapp')
      return
    }
    await this.#context.ask('play media', {
      'from-tag': 'whatsapp',
      blob: SILENCE,
      'repeat-times': FOR_EVER,
    })
  }

  /** The call is over. */
  close(): void {
    for (const tag of [...this.#playing.keys()]) this.#forget(tag)
  }

  #forget(tag: string): void {
    this.#playing.get(tag)?.clear()
    this.#playing.delete(tag)
  }

  async #stop(tag: string): Promise<void> {
    await this.#context.ask('stop media', { 'from-tag': tag }).catch((error: unknown) => {
      const idle = error instanceof Error && /not currently playing/i.test(error.message)
      if (!idle) throw error
    })
  }
}

/** The bytes of a file where they fit; else its name, for an rtpengine that shares our files. */
async function source(file: string): Promise<NgDictionary> {
  try {
    const { size } = await stat(file)
    if (size <= LARGEST) return { blob: await readFile(file) }
  } catch {
    // Perhaps it is on rtpengine's machine alone.
  }
  return { file }
}

/** One second of silence as a WAV file: 8000 Hz, A-law. */
const SILENCE = silence(8000)

function silence(samples: number): Buffer {
  const header = Buffer.alloc(44)
  header.write('RIFF', 0, 'latin1')
  header.writeUInt32LE(36 + samples, 4)
  header.write('WAVEfmt ', 8, 'latin1')
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(6, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(8000, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36, 'latin1')
  header.writeUInt32LE(samples, 40)
  return Buffer.concat([header, Buffer.alloc(samples, 0xd5)])
}
