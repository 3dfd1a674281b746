import { setTimeout as sleep } from 'node:timers/promises'

/** Waits for something to become true; throws after 10 s, or `within` milliseconds. */
export async function until(
  what: string,
  test: () => boolean | Promise<boolean>,
  within = 10_000,
): Promise<void> {
  const deadline = performance.now() + within
  while (!(await test())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${within / 1000} s`)
    await sleep(50)
  }
}
