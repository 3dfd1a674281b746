import type { ListenerInfo } from '../embedded-drachtio/index.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import { certificateCheck } from './checks.ts'

const HOUR = 3_600_000
/** Looks after which a trouble that lasts is told again. */
const DAILY = 24

export interface CertificateWatchOptions {
  /** Open listeners with the certificates in use. */
  listeners: () => readonly ListenerInfo[]
  clock: Clock
  log: Logger
}

/**
 * Writes to the log that a certificate ends soon or is not valid: at the start, when that changes, and
 * daily while it lasts. WhatsApp shows nothing of it but calls that never arrive.
 */
export class CertificateWatch {
  readonly #options: CertificateWatchOptions
  /** By listener: what was told last, and how many looks ago. */
  readonly #told = new Map<string, { status: string; looks: number }>()
  #timer: Timer | undefined

  constructor(options: CertificateWatchOptions) {
    this.#options = options
  }

  /** Looks now and every hour from then on. */
  start(): void {
    this.#look()
    this.#timer = this.#options.clock.setTimeout(() => this.start(), HOUR)
  }

  stop(): void {
    this.#timer?.clear()
  }

  #look(): void {
    const { listeners, clock, log } = this.#options
    for (const { id, status, output } of listeners().flatMap((listener) =>
      certificateCheck(listener, clock.now()),
    )) {
      const told = this.#told.get(id) ?? { status: 'pass', looks: 0 }
      const due = told.status !== status || ++told.looks >= DAILY
      if (!due) {
        this.#told.set(id, told)
        continue
      }
      this.#told.set(id, { status, looks: 0 })
      const facts = { listener: id, detail: output }
      if (status === 'fail') log.error(facts, 'certificate not valid')
      else if (status === 'warn') log.warn(facts, 'certificate ends soon')
    }
  }
}
