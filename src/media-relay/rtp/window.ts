/**
 * Which of the last 64 sequence numbers of a stream have been seen, in two integers. Bit 0 of the
 * lower one is the highest number.
 */
export class PacketWindow {
  /** Numbers 0 to 31 behind the highest. */
  low = 1
  /** Numbers 32 to 63 behind the highest. */
  high = 0
  /** How many numbers the window knows of: the ones before its first are not its own. */
  known = 1

  /** Begins anew with one number. */
  reset(): void {
    this.low = 1
    this.high = 0
    this.known = 1
  }

  /** The highest number moves up by `step` > 0; what lies between is missing. */
  advance(step: number): void {
    if (step >= 64) {
      this.high = 0
      this.low = 1
    } else if (step >= 32) {
      this.high = this.low << (step - 32)
      this.low = 1
    } else {
      this.high = (this.high << step) | (this.low >>> (32 - step))
      this.low = (this.low << step) | 1
    }
    this.known = Math.min(64, this.known + step)
  }

  /** The highest number moves up by one that has not been seen yet. */
  skip(): void {
    this.high = (this.high << 1) | (this.low >>> 31)
    this.low <<= 1
    if (this.known < 64) this.known++
  }

  /** The window begins earlier than thought, with the number `behind` the highest, below 64. */
  widen(behind: number): void {
    this.known = Math.max(this.known, behind + 1)
  }

  /** Whether the number `behind` the highest has been seen; true for what lies before the window. */
  has(behind: number): boolean {
    if (behind >= this.known) return true
    return ((behind < 32 ? this.low >>> behind : this.high >>> (behind - 32)) & 1) === 1
  }

  /** Notes the number `behind` the highest. False: seen before, or before the window. */
  late(behind: number): boolean {
    if (this.has(behind)) return false
    if (behind < 32) this.low |= 1 << behind
    else this.high |= 1 << (behind - 32)
    return true
  }
}
