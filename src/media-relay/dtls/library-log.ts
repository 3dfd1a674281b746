import type { Logger } from '../../shared/log.ts'

/** Lines of the library passed on in a second; strangers can provoke them. */
const BURST = 10
const PERIOD = 1_000

/**
 * The library's own log lines on their way into ours: at debug, since what matters to a call is
 * reported by its wire; limited in rate; without ICE passwords.
 */
export class LibraryLog {
  readonly #log: Logger
  #since = Number.NEGATIVE_INFINITY
  #lines = 0
  #dropped = 0

  constructor(log: Logger) {
    this.#log = log
  }

  /** One line, as the library words it. */
  write(level: string, message: string): void {
    const now = performance.now()
    if (now - this.#since > PERIOD) {
      if (this.#dropped > 0)
        this.#log.debug({ dropped: this.#dropped }, 'DTLS library lines left out')
      this.#since = now
      this.#lines = 0
      this.#dropped = 0
    }
    if (++this.#lines > BURST) {
      this.#dropped++
      return
    }
    this.#log.debug({ level, library: redact(message) }, 'DTLS library')
  }
}

/** Without the values of passwords; first line only. */
function redact(message: string): string {
  return message.split('\n', 1)[0]!.replace(/(pwd|password)[=:]\s*"?[^\s"]*"?/gi, '$1=[redacted]')
}
