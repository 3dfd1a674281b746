/** Packets behind the newest one whose arrival is remembered (RFC 3711 §3.3.2 asks for 64). */
const WINDOW = 64

/** Which indices were seen: the highest one and 63 behind it. */
export class ReplayWindow {
  /** Highest index accepted; -1 before the first. */
  highest = -1
  /** Bit d: index `highest - d` was seen. */
  #recent = 0
  /** Bit d: index `highest - 32 - d` was seen. */
  #older = 0

  /** Whether the index was accepted before, or is too old to know. */
  seen(index: number): boolean {
    const behind = this.highest - index
    if (behind < 0) return false
    if (behind >= WINDOW) return true
    return ((behind < 32 ? this.#recent >>> behind : this.#older >>> (behind - 32)) & 1) === 1
  }

  /** Takes note of an authentic packet that {@link seen} did not know. */
  accept(index: number): void {
    const ahead = index - this.highest
    if (ahead > 0) {
      this.#shift(ahead)
      this.highest = index
      this.#recent |= 1
    } else if (ahead > -32) this.#recent |= 1 << -ahead
    else this.#older |= 1 << (-ahead - 32)
  }

  /** A window that goes on from the state of this one. */
  clone(): ReplayWindow {
    const copy = new ReplayWindow()
    copy.highest = this.highest
    copy.#recent = this.#recent
    copy.#older = this.#older
    return copy
  }

  #shift(by: number): void {
    // Shift counts are taken modulo 32, hence the cases.
    if (by < 32) {
      this.#older = (this.#older << by) | (this.#recent >>> (32 - by))
      this.#recent <<= by
    } else {
      this.#older = by < WINDOW ? this.#recent << (by - 32) : 0
      this.#recent = 0
    }
  }
}
