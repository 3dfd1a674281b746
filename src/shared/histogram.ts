/** Where a histogram stands. Crosses threads. */
export interface HistogramState {
  /** Upper bounds of the buckets, rising; what is larger counts in `count` alone. */
  readonly bounds: readonly number[]
  /** Observations by bucket, not added up: one for each bound. */
  readonly counts: readonly number[]
  readonly sum: number
  readonly count: number
}

/** Counts observations by size: two additions and a short search for each, no allocation. */
export class Histogram {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0
  #count = 0

  /** @param bounds upper bounds of the buckets, rising, without infinity */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = bounds.map(() => 0)
  }

  /** Takes one observation, in the unit of the bounds. A bound belongs to its bucket. */
  observe(value: number): void {
    this.#sum += value
    this.#count++
    const bounds = this.#bounds
    for (let index = 0; index < bounds.length; index++) {
      if (value > bounds[index]!) continue
      this.#counts[index]!++
      return
    }
  }

  /** A copy of the figures. */
  state(): HistogramState {
    return {
      bounds: this.#bounds,
      counts: [...this.#counts],
      sum: this.#sum,
      count: this.#count,
    }
  }
}
