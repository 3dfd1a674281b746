/** One thing in a lane. */
export interface Keyed {
  /** What it is about: things of one key are taken one after the other. */
  readonly key: string
}

/**
 * A queue in lanes: things of one key keep their order and are taken one at a time, things of different keys
 * are independent, and the lane that became ready first is served first.
 */
export class Lanes<T extends Keyed> {
  readonly #lanes = new Map<string, T[]>()
  /** Keys of lanes whose head may be taken. */
  readonly #ready = new Set<string>()
  #size = 0

  /** Everything that waits, what was taken and is not done included. */
  get size(): number {
    return this.#size
  }

  get ready(): boolean {
    return this.#ready.size > 0
  }

  push(item: T): void {
    this.#size++
    const lane = this.#lanes.get(item.key)
    if (lane) {
      lane.push(item)
      return
    }
    this.#lanes.set(item.key, [item])
    this.#ready.add(item.key)
  }

  /** The head of the lane that has waited longest; the lane rests until it is done or given back. */
  take(): T | undefined {
    const [key] = this.#ready
    if (key === undefined) return undefined
    this.#ready.delete(key)
    return this.#lanes.get(key)![0]
  }

  /** The head of a lane is over; the next one of it may be taken. */
  done(item: T): void {
    const lane = this.#lanes.get(item.key)
    if (lane?.[0] !== item) return
    lane.shift()
    this.#size--
    if (lane.length > 0) this.#ready.add(item.key)
    else this.#lanes.delete(item.key)
  }

  /** The head of a lane may be taken again. */
  giveBack(item: T): void {
    if (this.#lanes.get(item.key)?.[0] === item) this.#ready.add(item.key)
  }

  /** Empties everything; what was waiting, lane by lane. */
  clear(): T[] {
    const all = [...this.#lanes.values()].flat()
    this.#lanes.clear()
    this.#ready.clear()
    this.#size = 0
    return all
  }
}
