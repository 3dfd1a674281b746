/**
 * Runs operations one after the other, in the order they were asked for: overlapping SIP events of
 * one call must not interleave. A failed operation does not stop the next.
 */
export class OperationQueue {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(operation)
    this.#tail = result.catch(() => {})
    return result
  }
}
