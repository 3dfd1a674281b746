import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'

/** Growing pauses with jitter. Milliseconds. */
export interface Backoff {
  base: number
  max: number
}

/**
 * The pause before the next attempt: between half and all of `base` doubled per failure, so that
 * many clients that failed together do not return together.
 *
 * @param failures failures so far, from 1
 */
export function backoffDelay(backoff: Backoff, failures: number, random: Random): number {
  const full = Math.min(backoff.max, backoff.base * 2 ** Math.min(failures - 1, 30))
  const half = Math.floor(full / 2)
  return half + random.int(0, Math.max(1, full - half + 1))
}

/**
 * Reads Retry-After (RFC 9110 §10.2.3): seconds or an HTTP date.
 *
 * @returns milliseconds from now; undefined when absent or unreadable
 */
export function retryAfterOf(header: string | null, clock: Clock): number | undefined {
  if (header === null) return undefined
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000
  const date = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - clock.now())
}

/** Waits on the clock; rejects with the signal's reason as soon as it is aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = (): void => {
      timer.clear()
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
