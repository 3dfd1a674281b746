import type { RotationStep } from '../../settings/index.ts'
import type { Output } from '../io.ts'
import type { Paint } from '../style.ts'

/** What each step does, as people are told. */
const STEPS: Record<RotationStep, string> = {
  drain: 'new calls are refused; calls in progress are waited for, and go on',
  disable: 'calling and SIP are switched off',
  clear: 'our server is removed, and with it the password',
  add: 'our server is put back',
  enable: 'calling and SIP are switched on',
  read: 'the new password is fetched',
}

/** Writes each step once, as it begins. */
export class Progress {
  readonly #out: Output
  readonly #paint: Paint
  #startedAt: number | undefined

  constructor(out: Output, paint: Paint) {
    this.#out = out
    this.#paint = paint
  }

  /** A step that begins at `at`, milliseconds since the epoch; `what` it does, when that differs. */
  step(step: RotationStep, at: number, what = STEPS[step]): void {
    this.#startedAt ??= at
    const after = `${((at - this.#startedAt) / 1000).toFixed(1)} s`.padStart(8)
    const name = this.#paint('bold', step.padEnd(7))
    this.#out.write(`  ${this.#paint('dim', after)}  ${name}  ${what}\n`)
  }

  line(text: string): void {
    this.#out.write(`${text}\n`)
  }
}

/** `340 ms`, `1.7 s`. */
export function formatWindow(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`
}
