import type { BridgeContext } from './context.ts'

/**
 * Keeps new calls away from single numbers. In-dialog requests are never authenticated, in either
 * direction: a call in progress does not need the password that is exchanged meanwhile, and is left
 * alone.
 */
export class NumberHold {
  readonly #ctx: BridgeContext

  constructor(ctx: BridgeContext) {
    this.#ctx = ctx
  }

  /** Begins; resolves when the number has no call left, or after `ms`. */
  begin(number: string, ms: number): Promise<void> {
    const { calls, clock, heldNumbers } = this.#ctx
    heldNumbers.add(number)
    if (calls.activeOf(number) === 0 || ms <= 0) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        timer.clear()
        unsubscribe()
        resolve()
      }
      const timer = clock.setTimeout(done, ms)
      const unsubscribe = calls.subscribe({
        ended: () => {
          if (calls.activeOf(number) === 0) done()
        },
      })
    })
  }

  /** Takes calls of the number again. */
  end(number: string): void {
    this.#ctx.heldNumbers.delete(number)
  }
}
