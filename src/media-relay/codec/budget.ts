/** How many calls may be transcoded at once. */
export class TranscodingBudget {
  /** May be changed while calls are converted; those above a lower limit go on. */
  limit: number
  #active = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /** Calls that are transcoded now. */
  get active(): number {
    return this.#active
  }

  /** Takes a place; false when none is left. */
  take(): boolean {
    if (this.#active >= this.limit) return false
    this.#active++
    return true
  }

  /** Gives a place back that {@link take} gave. */
  give(): void {
    if (this.#active > 0) this.#active--
  }
}
