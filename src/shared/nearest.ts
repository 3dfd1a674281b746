/** Edit distance between two words (insertions, deletions, substitutions and swaps of neighbours). */
export function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + cost)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = above
    above = row
  }
  return above[b.length]!
}

/**
 * The known word a mistyped one most likely stands for, or undefined when none is close enough to be
 * worth suggesting: up to three letters may differ, fewer in a short word.
 */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const plain = normalise(word)
  let best: string | undefined
  let distance = (plain.length <= 3 ? 1 : plain.length <= 8 ? 2 : 3) + 0.5
  for (const candidate of known) {
    const other = normalise(candidate)
    let d = editDistance(plain, other)
    if (d >= Math.min(plain.length, other.length)) continue
    if (d > 1 && plain.length >= 4 && (other.startsWith(plain) || plain.startsWith(other))) d = 1.5
    if (d < distance) {
      distance = d
      best = candidate
    }
  }
  return best
}

function normalise(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '')
}
