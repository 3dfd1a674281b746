/** A running timer; `clear` is idempotent. */
export interface Timer {
  clear(): void
}

/**
 * Time as the rest of the code sees it. Injected wherever time matters, so that tests advance it
 * by hand (`test/support/fake-clock.ts`) and never sleep.
 */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. For records and expiry times. */
  now(): number
  /** Monotonic time in milliseconds with a fraction. For durations. */
  monotonic(): number
  /** Calls `fn` once after `ms` milliseconds. The timer does not keep the process alive. */
  setTimeout(fn: () => void, ms: number): Timer
}

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, ms) {
    const handle = setTimeout(fn, ms)
    handle.unref()
    return { clear: () => clearTimeout(handle) }
  },
}

/** Resolves after `ms` on the given clock. */
export function delay(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimeout(resolve, ms)
  })
}
