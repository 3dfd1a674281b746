import type { Random } from '../shared/random.ts'

/** Growing pauses with jitter, milliseconds. */
export interface Backoff {
  base: number
  max: number
}

/**
 * The pause before the next attempt: between half and all of `base` doubled per failure, so that what failed
 * together does not return together.
 *
 * @param failures so far, from 1
 */
export function pauseAfter(failures: number, { base, max }: Backoff, random: Random): number {
  const full = Math.min(max, base * 2 ** Math.min(failures - 1, 30))
  const half = Math.floor(full / 2)
  return half + random.int(0, Math.max(1, full - half + 1))
}
