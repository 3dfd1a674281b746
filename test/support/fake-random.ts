import type { Random } from '../../src/shared/random.ts'

/** A seeded random source (mulberry32): the same seed gives the same values in every run. */
export class FakeRandom implements Random {
  #state: number

  constructor(seed = 1) {
    this.#state = seed >>> 0
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return (t ^ (t >>> 14)) >>> 0
  }

  bytes(n: number): Buffer {
    return Buffer.from(Array.from({ length: n }, () => this.#next() & 0xff))
  }

  hex(n: number): string {
    return this.bytes(n).toString('hex')
  }

  uuid(): string {
    const h = this.hex(16)
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-4${h.slice(13, 16)}-8${h.slice(17, 20)}-${h.slice(20)}`
  }

  int(min: number, max: number): number {
    return min + (this.#next() % (max - min))
  }
}
