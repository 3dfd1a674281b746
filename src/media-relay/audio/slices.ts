import { setImmediate } from 'node:timers/promises'

/**
 * Calls `step` for 0 to `count` - 1, `each` calls a turn of the event loop: the thread carries calls
 * meanwhile, and no packet may wait for a file.
 */
export async function inSlices(
  count: number,
  each: number,
  step: (index: number) => void,
): Promise<void> {
  for (let index = 0; index < count; index++) {
    if (index % each === 0) await setImmediate()
    step(index)
  }
}
