/** Stands for the stack's own file beside those of ports. */
export const PRIVATE_FILE = 0

/**
 * The files a thread has open that Node does not know of, in memory shared with the thread that
 * started it: one that ends without a word (out of memory, say) leaves them to be closed by the other.
 */
export class OpenFiles {
  /** File descriptors plus one, by port; 0: none. */
  readonly #files: Int32Array

  constructor(memory: SharedArrayBuffer) {
    this.#files = new Int32Array(memory)
  }

  /** Memory for one thread. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(0x10000 * Int32Array.BYTES_PER_ELEMENT)
  }

  add(port: number, fd: number): void {
    Atomics.store(this.#files, port, fd + 1)
  }

  /** To be called before the file is closed: from then on its number may be another's. */
  remove(port: number): void {
    Atomics.store(this.#files, port, 0)
  }

  /** What is open still. */
  remaining(): number[] {
    return Array.from(this.#files)
      .filter((file) => file > 0)
      .map((file) => file - 1)
  }
}
