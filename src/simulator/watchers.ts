/** Those who wait for something to become true of a call. */
export class Watchers {
  readonly #waiting = new Set<() => void>()

  /** Resolves once `holds` is true, now or when {@link Watchers.notify} finds it so. */
  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Something has changed: everybody looks again. */
  notify(): void {
    for (const look of [...this.#waiting]) look()
  }
}
