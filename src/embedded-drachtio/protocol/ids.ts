import type { Random } from '../../shared/random.ts'

/**
 * A cheap source of UUID-shaped identifiers: 80 random bits of this process and a counter. Unique
 * within and across processes; they name frames and transactions, nothing secret hangs on them.
 */
export function createIds(random: Random): () => string {
  const prefix = `${random.hex(4)}-${random.hex(2)}-4${random.hex(2).slice(1)}-8${random.hex(2).slice(1)}-`
  let count = 0
  return () => {
    count = (count + 1) % 0xffffffffffff
    return prefix + count.toString(16).padStart(12, '0')
  }
}
