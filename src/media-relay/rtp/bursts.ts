/** So many packets received in a row end a burst (RFC 3611 §4.7.2). */
const GMIN = 16

/** Tells losses in bursts from lonely ones (RFC 3611 §4.7.2), packet by packet in order. */
export class Bursts {
  lost = 0
  /** Losses that lie in bursts: at least two with fewer than 16 packets received between them. */
  lostInBursts = 0
  /** Runs of losses without any packet between. */
  runs = 0
  #group = 0
  #sinceLoss = GMIN

  /** The next packet was lost, or was received. */
  add(received: boolean): void {
    if (received) {
      this.#sinceLoss++
      return
    }
    this.lost++
    if (this.#sinceLoss > 0) this.runs++
    if (this.#sinceLoss >= GMIN) {
      this.#group = 1
    } else {
      this.#group++
      // The first loss of a group turns out to be one of a burst with the second.
      this.lostInBursts += this.#group === 2 ? 2 : 1
    }
    this.#sinceLoss = 0
  }

  /** Packets of another stream follow: no burst reaches across. */
  separate(): void {
    this.#sinceLoss = GMIN
  }

  /** The same state, to look ahead with. */
  copy(): Bursts {
    const copy = new Bursts()
    copy.lost = this.lost
    copy.lostInBursts = this.lostInBursts
    copy.runs = this.runs
    copy.#group = this.#group
    copy.#sinceLoss = this.#sinceLoss
    return copy
  }
}
