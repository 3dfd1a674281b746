/**
 * Codec instances made ahead of need, because libopus-wasm makes them behind a promise while a call
 * cannot wait. An instance serves one call and is freed, as it cannot be reset and must not carry
 * sound from one call into another; libopus-wasm gives its memory to the next one.
 */
export class Reserve<T extends { free(): void }> {
  readonly #make: () => Promise<T>
  readonly #size: number
  readonly #idle: T[] = []
  #making = 0

  constructor(make: () => Promise<T>, size: number) {
    this.#make = make
    this.#size = size
  }

  /** Makes what is missing. */
  async fill(): Promise<void> {
    const missing = this.#size - this.#idle.length - this.#making
    await Promise.all(Array.from({ length: Math.max(missing, 0) }, () => this.#add()))
  }

  /** An instance, or undefined when too many are wanted at once; then `late` gets one soon. */
  take(late: (instance: T) => void): T | undefined {
    const instance = this.#idle.pop()
    if (instance) this.fill().catch(noMemory)
    else this.#make().then(late, noMemory)
    return instance
  }

  async #add(): Promise<void> {
    this.#making++
    try {
      this.#idle.push(await this.#make())
    } finally {
      this.#making--
    }
  }
}

/** Without memory for an instance the call hears silence; the next call tries again. */
function noMemory(): void {}
