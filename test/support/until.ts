/** Milliseconds that others may take on a busy machine before a test gives up on them. */
export const PATIENCE = 30_000

/**
 * Waits on the real clock for what other threads and processes do.
 *
 * @throws Error after `ms` milliseconds
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = PATIENCE,
): Promise<void> {
  const end = performance.now() + ms
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`${what}: not within ${ms} ms`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
