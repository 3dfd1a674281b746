/** Milliseconds between two looks at the clock. */
const STEP = 20

const stalls: { at: number; ms: number }[] = []
let last = performance.now()

// A machine that stands still breaks every promise; the peers are not to be blamed for it.
setInterval(() => {
  const now = performance.now()
  if (now - last > 2 * STEP) stalls.push({ at: Date.now(), ms: now - last })
  last = now
}, STEP).unref()

/** Longest time this process stood still since `at` (Unix milliseconds), in milliseconds; 0 for none. */
export function longestStall(at: number): number {
  return Math.max(0, ...stalls.filter((stall) => stall.at >= at).map(({ ms }) => ms))
}
