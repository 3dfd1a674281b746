import type { Timer } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { BridgeContext } from './context.ts'

/** Draining: no new calls; those in progress may finish within a time, then they are ended. */
export class Drain {
  readonly #ctx: BridgeContext
  #timer: Timer | undefined
  #waiting: (() => void)[] = []
  #unsubscribe: (() => void) | undefined

  constructor(ctx: BridgeContext) {
    this.#ctx = ctx
  }

  /**
   * Starts, or changes the time of, draining; resolves when no call is left or it was cancelled.
   * With `Infinity` calls may go on for as long as they like.
   */
  begin(ms: number): Promise<void> {
    this.#ctx.draining = true
    if (this.#ctx.calls.size === 0) return Promise.resolve()
    this.#unsubscribe ??= this.#ctx.calls.subscribe({ ended: () => this.#onEnded() })
    this.#timer?.clear()
    const finished = new Promise<void>((resolve) => this.#waiting.push(resolve))
    if (ms <= 0) this.#endAll()
    else if (ms < Number.POSITIVE_INFINITY)
      this.#timer = this.#ctx.clock.setTimeout(() => this.#endAll(), ms)
    return finished
  }

  /** Takes calls again. */
  cancel(): void {
    this.#ctx.draining = false
    this.#settle()
  }

  #onEnded(): void {
    if (this.#ctx.calls.size === 0) this.#settle()
  }

  #endAll(): void {
    for (const flow of [...this.#ctx.flows.values()]) flow.hangUp(new CausewayError('CALL_DRAINED'))
  }

  #settle(): void {
    this.#timer?.clear()
    this.#timer = undefined
    this.#unsubscribe?.()
    this.#unsubscribe = undefined
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
