/** How often something happened to a number. */
export interface NumberCount {
  number: string
  what: string
  count: number
}

/** Counts by number and what happened: a handful of names each, so it stays small. */
export class Tally {
  readonly #counts = new Map<string, NumberCount>()

  add(number: string, what: string): void {
    const key = `${number} ${what}`
    const entry = this.#counts.get(key)
    if (entry) entry.count++
    else this.#counts.set(key, { number, what, count: 1 })
  }

  all(): readonly NumberCount[] {
    return [...this.#counts.values()]
  }
}
