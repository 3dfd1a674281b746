/** Hands out the payloads of a file, one for every 20 ms. */
export class Player {
  readonly #frames: readonly Uint8Array[]
  readonly #loop: boolean
  #at = 0

  /** @param loop begin again at the end */
  constructor(frames: readonly Uint8Array[], loop: boolean) {
    this.#frames = frames
    this.#loop = loop
  }

  /** The next payload; undefined when {@link ended}. */
  next(): Uint8Array | undefined {
    if (this.#loop && this.#at === this.#frames.length) this.#at = 0
    return this.#at < this.#frames.length ? this.#frames[this.#at++] : undefined
  }

  /** Whether the last payload has been handed out. */
  get ended(): boolean {
    return this.#at === this.#frames.length && (!this.#loop || this.#at === 0)
  }
}
