import { appendFile, mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'

/** An event that was not delivered, as one line of the file. */
export interface DeadLetter {
  /** When it was given up, ISO 8601. */
  time: string
  /** Name of the target. */
  target: string
  reason: string
  tries: number
  /** The event as it was to be sent. */
  event: unknown
}

/** Size at which the file becomes `….1` and a new one is begun, bytes. */
const SIZE_LIMIT = 10 * 1024 * 1024
/** Letters that wait for the disk; beyond that they are lost, and counted. */
const WAITING_LIMIT = 10_000

/**
 * The file of undelivered events: JSON Lines, readable by its owner alone, two files of bounded size. Writing
 * happens in the background, in order.
 */
export class DeadLetterFile {
  readonly path: string
  readonly #log: Logger
  readonly #sizeLimit: number
  #waiting: string[] = []
  #writing: Promise<void> | undefined
  #lost = 0

  constructor(path: string, log: Logger, sizeLimit = SIZE_LIMIT) {
    this.path = path
    this.#log = log
    this.#sizeLimit = sizeLimit
  }

  /** Events that could not even be written. */
  get lost(): number {
    return this.#lost
  }

  add(letter: DeadLetter): void {
    if (this.#waiting.length >= WAITING_LIMIT) {
      this.#lost++
      return
    }
    this.#waiting.push(`${JSON.stringify(letter)}\n`)
    this.#start()
  }

  /** Resolves when everything is on disk. */
  async flushed(): Promise<void> {
    while (this.#writing) await this.#writing
  }

  #start(): void {
    this.#writing ??= this.#write().finally(() => {
      this.#writing = undefined
      // One may have come between the last look and now.
      if (this.#waiting.length > 0) this.#start()
    })
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lines = this.#waiting
      this.#waiting = []
      try {
        await mkdir(dirname(this.path), { recursive: true, mode: 0o700 })
        await this.#rotate()
        await appendFile(this.path, lines.join(''), { mode: 0o600 })
      } catch (cause) {
        this.#lost += lines.length
        const { code } = cause as { code?: string }
        const detail = `${code ?? 'it cannot be written'}, ${lines.length} events lost`
        const err = new CausewayError('APP_EVENT_DEAD_LETTER', { detail, place: this.path, cause })
        this.#log.error({ err }, 'undelivered events are lost')
      }
    }
  }

  async #rotate(): Promise<void> {
    const size = await stat(this.path).then(
      (facts) => facts.size,
      () => 0,
    )
    if (size >= this.#sizeLimit) await rename(this.path, `${this.path}.1`)
  }
}
