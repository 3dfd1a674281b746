import type { TrunkTarget } from '../../config/types.ts'
import type { Random } from '../../shared/random.ts'

/**
 * Targets in the order of trying: the lowest priority value first; within one, as written, or, where
 * weights differ, drawn by weight (RFC 2782).
 */
export function inOrder(targets: readonly TrunkTarget[], random: Random): TrunkTarget[] {
  if (targets.length < 2) return [...targets]
  const priorities = [...new Set(targets.map(priorityOf))].sort((a, b) => a - b)
  return priorities.flatMap((priority) => {
    const rank = targets.filter((target) => priorityOf(target) === priority)
    const equal = rank.every(({ weight }) => weight === rank[0]!.weight)
    return equal ? rank : draw(rank, random)
  })
}

function priorityOf({ priority = 0 }: TrunkTarget): number {
  return priority
}

function draw(targets: TrunkTarget[], random: Random): TrunkTarget[] {
  const left = [...targets]
  const drawn: TrunkTarget[] = []
  while (left.length > 0) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0)
    let ticket = random.int(0, Math.max(1, total))
    const index = left.findIndex(({ weight }) => {
      ticket -= weight
      return ticket < 0
    })
    drawn.push(...left.splice(Math.max(0, index), 1))
  }
  return drawn
}
