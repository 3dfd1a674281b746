import type { Logger } from '../../shared/log.ts'

/** Lines of the library passed on in a second; strangers can provoke them. */
const BURST = 10
const PERIOD = 1_000
/** Milliseconds a cause may be old to be taken for that of a failure. */
const FRESH = 200
/** `DTLS alert: handshake failure`; `… error:1417210F:SSL routines:…:bad length`. */
const CAUSE = /DTLS alert: (.+)|error:[0-9A-F]+:[^:]*:[^:]*:(.+)/

/**
 * The library's own log lines on their way into ours: at debug, since what matters to a call is
 * reported by its wire; limited in rate; without ICE passwords.
 */
export class LibraryLog {
  readonly #log: Logger
  #since = Number.NEGATIVE_INFINITY
  #lines = 0
  #dropped = 0
  #cause = ''
  #causeAt = Number.NEGATIVE_INFINITY

  constructor(log: Logger) {
    this.#log = log
  }

  /**
   * Why a handshake failed that has failed just now, in the library's words; undefined when it has
   * said nothing. Its lines name no session, so that it may be another's of the same moment.
   */
  get recentCause(): string | undefined {
    return performance.now() - this.#causeAt < FRESH ? this.#cause : undefined
  }

  /** One line, as the library words it. */
  write(level: string, message: string): void {
    const now = performance.now()
    const [, alert, reason] = CAUSE.exec(message) ?? []
    if (alert || reason) {
      this.#cause = alert ? `alert: ${alert.trim()}` : reason!.trim()
      this.#causeAt = now
    }
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
