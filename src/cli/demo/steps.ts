import { ConfigErrors } from '../../config/index.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import type { Io } from '../io.ts'
import { duration } from '../ladder.ts'
import { type Paint, paintFor } from '../style.ts'
import { wrap } from '../text.ts'

/** One step as the JSON output has it. */
export interface StepReport {
  name: string
  ok: boolean
  /** Milliseconds it took. */
  ms: number
  /** What came out, or what went wrong. */
  detail: string
}

/** A step went wrong; it has been printed with its reason. */
export class StepFailed extends Error {
  override readonly name = 'StepFailed'
}

/** Column where the text of a step begins. */
const INDENT = 14
const WIDTH = 80 - INDENT

/** Runs the steps of the demo one by one and prints each with a tick and the time it took. */
export class Steps {
  readonly done: StepReport[] = []
  readonly #io: Io
  readonly #paint: Paint
  readonly #quiet: boolean

  /** @param quiet collects only, for `--json` */
  constructor(io: Io, quiet: boolean) {
    this.#io = io
    this.#paint = paintFor(io.stdout, io.env)
    this.#quiet = quiet
  }

  /**
   * Runs one step.
   *
   * @param action its value is passed on; `say` tells what came out
   * @throws StepFailed after the reason was printed
   */
  async run<T>(name: string, action: (say: (detail: string) => void) => Promise<T>): Promise<T> {
    const began = performance.now()
    let detail = ''
    const report = (ok: boolean): void => {
      const ms = Math.round(performance.now() - began)
      this.done.push({ name, ok, ms, detail })
      if (!this.#quiet) this.#print(name, ok, ms, detail)
    }
    try {
      const value = await action((text) => {
        detail = text
      })
      report(true)
      return value
    } catch (error) {
      detail = reasonOf(error)
      report(false)
      throw new StepFailed(`${name}: ${detail}`, { cause: error })
    }
  }

  #print(name: string, ok: boolean, ms: number, detail: string): void {
    const mark = ok ? this.#paint('green', '✓') : this.#paint('red', '✗')
    const time = this.#paint('dim', duration(ms).padStart(INDENT - 6))
    const text = detail ? `${name}: ${detail}` : name
    const [first = '', ...rest] = text.split('\n').flatMap((line) => wrap(line, WIDTH))
    const head = first.startsWith(name)
      ? this.#paint('bold', name) + first.slice(name.length)
      : first
    const lines = [`  ${mark} ${time}  ${head}`, ...rest.map((line) => ' '.repeat(INDENT) + line)]
    this.#io.stdout.write(`${lines.join('\n')}\n`)
  }
}

/** What went wrong and what to do about it, without stacks. */
function reasonOf(error: unknown): string {
  if (error instanceof ConfigErrors) return error.message
  if (isCausewayError(error)) return `${error.message}\nfix: ${error.fix}`
  return error instanceof Error ? error.message : String(error)
}

/** Pause between two looks, milliseconds. */
const LOOK = 20

/**
 * Looks until there is something to see.
 *
 * @param look gives undefined or false while there is nothing; what it throws ends the waiting
 * @throws Error naming `what` after `ms` milliseconds, or when the demo is interrupted
 */
export async function until<T>(
  what: string,
  ms: number,
  signal: AbortSignal,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const end = performance.now() + ms
  for (;;) {
    if (signal.aborted) throw new Error('interrupted')
    const seen = await look()
    if (seen !== undefined && seen !== false) return seen
    if (performance.now() > end) throw new Error(`${what}: not within ${duration(ms)}`)
    await new Promise((resolve) => setTimeout(resolve, LOOK))
  }
}
