import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'

/** Inclusive range of UDP ports. */
export interface PortRange {
  min: number
  max: number
}

/** How many ports of a range are in which state. */
export interface PortCounts {
  total: number
  used: number
  cooling: number
}

/** Milliseconds a port rests after use, so that late packets of a call do not enter another one. */
export const COOL_DOWN = 5_000

const FREE = 0
const USED = 1
const COOLING = 2
const OUTSIDE = 3

/**
 * Which ports of a range are free: values alone, no sockets. A search starts at a random port, so
 * that an outsider cannot guess it (RFC 6056 §3.1), and looks at each port at most once.
 */
export class PortTable {
  readonly #range: PortRange
  readonly #clock: Clock
  readonly #random: Random
  readonly #states: Uint8Array
  /** Released ports in order of release, with the time they are free again. */
  readonly #resting: { port: number; until: number }[] = []
  #used = 0

  constructor(range: PortRange, deps: { clock: Clock; random: Random }) {
    this.#range = range
    this.#clock = deps.clock
    this.#random = deps.random
    this.#states = new Uint8Array(Math.max(0, range.max - range.min + 1))
  }

  /** An even port whose odd successor is free too (RFC 3550 §11), both taken; undefined when none is left. */
  takePair(): number | undefined {
    this.#wake()
    const first = this.#range.min + (this.#range.min % 2)
    const pairs = Math.floor((this.#range.max - first + 1) / 2)
    if (pairs < 1) return undefined
    const start = this.#random.int(0, pairs)
    for (let n = 0; n < pairs; n++) {
      const port = first + ((start + n) % pairs) * 2
      if (this.#state(port) !== FREE || this.#state(port + 1) !== FREE) continue
      this.#use(port)
      this.#use(port + 1)
      return port
    }
    return undefined
  }

  /** One port, taken; undefined when none is left. Halves of broken pairs go first, to keep pairs whole. */
  takeOne(): number | undefined {
    this.#wake()
    const { length } = this.#states
    if (length < 1) return undefined
    const start = this.#random.int(0, length)
    let whole: number | undefined
    for (let n = 0; n < length; n++) {
      const port = this.#range.min + ((start + n) % length)
      if (this.#state(port) !== FREE) continue
      if (this.#state(port ^ 1) !== FREE) {
        this.#use(port)
        return port
      }
      whole ??= port
    }
    if (whole !== undefined) this.#use(whole)
    return whole
  }

  /** Gives a taken port back; it rests before it is taken again. */
  free(port: number): void {
    if (this.#state(port) !== USED) return
    this.#states[port - this.#range.min] = COOLING
    this.#used--
    this.#resting.push({ port, until: this.#clock.monotonic() + COOL_DOWN })
  }

  counts(): PortCounts {
    this.#wake()
    return { total: this.#states.length, used: this.#used, cooling: this.#resting.length }
  }

  #state(port: number): number {
    return this.#states[port - this.#range.min] ?? OUTSIDE
  }

  #use(port: number): void {
    this.#states[port - this.#range.min] = USED
    this.#used++
  }

  #wake(): void {
    const now = this.#clock.monotonic()
    let rested = 0
    for (const { port, until } of this.#resting) {
      if (until > now) break
      this.#states[port - this.#range.min] = FREE
      rested++
    }
    if (rested > 0) this.#resting.splice(0, rested)
  }
}

/**
 * Cuts a range into parts for workers, even ports first, so that they never collide. Fewer parts
 * than asked for when there are not enough ports for a pair in each.
 */
export function splitRange(range: PortRange, parts: number): PortRange[] {
  const size = range.max - range.min + 1
  const count = Math.max(1, Math.min(parts, Math.floor(size / 4)))
  if (count === 1) return [range]
  const step = Math.floor(size / count / 2) * 2
  const first = range.min + (range.min % 2)
  return Array.from({ length: count }, (_, index) => ({
    min: index === 0 ? range.min : first + index * step,
    max: index === count - 1 ? range.max : first + (index + 1) * step - 1,
  }))
}
