import type { Random } from '../../shared/random.ts'
import type { SrvRecord } from './types.ts'

/**
 * The order in which to try SRV records (RFC 2782): by priority, and within one at random with
 * chances in proportion to the weights. A sole `.` means that the service is not offered: [].
 */
export function orderSrv(records: readonly SrvRecord[], random: Random): SrvRecord[] {
  const offered = records.filter((record) => record.name !== '.' && record.name !== '')
  const priorities = [...new Set(offered.map((record) => record.priority))].sort((a, b) => a - b)
  return priorities.flatMap((priority) =>
    draw(
      offered.filter((record) => record.priority === priority),
      random,
    ),
  )
}

/** RFC 2782, "Weight": zero weights first, a running sum, a number between 0 and the sum. */
function draw(records: SrvRecord[], random: Random): SrvRecord[] {
  const left = records.sort((a, b) => Number(a.weight !== 0) - Number(b.weight !== 0))
  const order: SrvRecord[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, record) => sum + record.weight, 0)
    // The 0 is there to give zero weights their small chance; without one it would skew the shares.
    const chosen = random.int(left[0]!.weight === 0 ? 0 : 1, total + 1)
    let sum = 0
    const index = left.findIndex((record) => {
      sum += record.weight
      return sum >= chosen
    })
    order.push(...left.splice(index, 1))
  }
  return order
}
