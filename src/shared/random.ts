import { randomBytes, randomFillSync, randomUUID } from 'node:crypto'

/** Chance as the rest of the code sees it; tests inject a seeded one (`test/support/fake-random.ts`). */
export interface Random {
  /** `n` unpredictable bytes. */
  bytes(n: number): Buffer
  /** `n` unpredictable bytes as 2n lower-case hexadecimal digits. */
  hex(n: number): string
  /** A random UUID, version 4. */
  uuid(): string
  /** An integer in [min, max), at most 2^48 apart. */
  int(min: number, max: number): number
}

const POOL = 4096

/**
 * Bytes drawn ahead: tags, branches and nonces take a few at a time, and one call into OpenSSL costs
 * more than they do. Each byte is handed out once and wiped.
 */
const pool = Buffer.allocUnsafeSlow(POOL)
let used = POOL

function take(n: number): Buffer {
  if (n > POOL / 8) return randomBytes(n)
  if (used + n > POOL) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = Buffer.allocUnsafe(n)
  pool.copy(bytes, 0, used, used + n)
  pool.fill(0, used, used + n)
  used += n
  return bytes
}

/** Randomness from the operating system. */
export const systemRandom: Random = {
  bytes: take,
  hex: (n) => take(n).toString('hex'),
  uuid: () => randomUUID(),
  int(min, max) {
    const range = max - min
    // The largest multiple of the range below 2^48; what lies beyond would favour small values.
    const limit = 2 ** 48 - (2 ** 48 % range)
    for (;;) {
      const value = take(6).readUIntBE(0, 6)
      if (value < limit) return min + (value % range)
    }
  },
}
