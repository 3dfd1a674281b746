import { randomBytes, randomInt, randomUUID } from 'node:crypto'

/** Chance as the rest of the code sees it; tests inject a seeded one (`test/support/fake-random.ts`). */
export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Buffer
  /** `n` unpredictable bytes as 2n lower-case hexadecimal digits. */
  hex(n: number): string
  /** A random UUID, version 4. */
  uuid(): string
  /** An integer in [min, max). */
  int(min: number, max: number): number
}

/** Randomness from the operating system. */
export const systemRandom: Random = {
  bytes: (n) => randomBytes(n),
  hex: (n) => randomBytes(n).toString('hex'),
  uuid: () => randomUUID(),
  int: (min, max) => randomInt(min, max),
}
