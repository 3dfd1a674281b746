import type { Clock } from '../shared/clock.ts'

/** How often the same field is put right before it is left alone. */
export interface RepairRule {
  /** Repairs of one field. */
  repairs: number
  /** Milliseconds in which they count. */
  window: number
}

/** Three times an hour: two managers that disagree then stop writing against each other. */
const RULE: RepairRule = { repairs: 3, window: 3_600_000 }

/** Fields that were repaired too often, and until when they are left alone. */
export interface Truce {
  paths: string[]
  /** Milliseconds until the first of them may be repaired again. */
  left: number
}

/** Remembers the repairs of each number, so that two managers never fight forever. */
export class RepairLimit {
  readonly #clock: Clock
  readonly #rule: RepairRule
  /** Times (monotonic) by number and field, oldest first. */
  readonly #repairs = new Map<string, Map<string, number[]>>()

  constructor(clock: Clock, rule: RepairRule = RULE) {
    this.#clock = clock
    this.#rule = rule
  }

  /** Counts one repair of these fields. */
  note(number: string, paths: readonly string[]): void {
    const fields = this.#repairs.get(number) ?? new Map<string, number[]>()
    this.#repairs.set(number, fields)
    for (const path of new Set(paths)) {
      fields.set(path, [...this.#recent(fields.get(path)), this.#clock.monotonic()])
    }
  }

  /** The fields of a number that have used up their repairs. */
  truce(number: string): Truce | undefined {
    const { repairs, window } = this.#rule
    const paths: string[] = []
    let left = Number.POSITIVE_INFINITY
    for (const [path, times] of this.#repairs.get(number) ?? []) {
      const recent = this.#recent(times)
      const first = recent.at(-repairs)
      if (first === undefined) continue
      paths.push(path)
      left = Math.min(left, first + window - this.#clock.monotonic())
    }
    return paths.length > 0 ? { paths, left } : undefined
  }

  /** Forgets a number: an operator wants it repaired now. */
  reset(number: string): void {
    this.#repairs.delete(number)
  }

  #recent(times: readonly number[] = []): number[] {
    return times.filter((at) => this.#clock.monotonic() - at < this.#rule.window)
  }
}
