import type { Clock, Timer } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'

/** Share of the interval by which each turn is moved, up or down. */
const JITTER = 0.1

/**
 * Does something for each name again and again, about every `interval` milliseconds after the last
 * time has ended. Turns are moved by a tenth, so that many numbers, and many instances that started
 * together, do not ask at the same moment. An interval of 0 does nothing.
 *
 * @param run never rejects
 * @returns ends it
 */
export function repeatedly(
  names: readonly string[],
  interval: number,
  run: (name: string) => Promise<unknown>,
  deps: { clock: Clock; random: Random },
): () => void {
  const timers = new Map<string, Timer>()
  let ended = false
  const plan = (name: string): void => {
    if (ended) return
    const reach = Math.floor(interval * JITTER)
    const wait = interval - reach + deps.random.int(0, 2 * reach + 1)
    timers.set(
      name,
      deps.clock.setTimeout(() => void run(name).finally(() => plan(name)), wait),
    )
  }
  if (interval > 0) for (const name of names) plan(name)
  return () => {
    ended = true
    for (const timer of timers.values()) timer.clear()
  }
}
