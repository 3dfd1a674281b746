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

/** The longest timer Node can set, milliseconds: 24.8 days. */
const LONGEST = 2 ** 31 - 1

/** The real clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  setTimeout(fn, ms) {
    // Node fires at once what is beyond its limit.
    const handle = setTimeout(fn, Math.min(ms, LONGEST))
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
