/**
 * Whether a text matches a pattern: literally, except that `*` stands for any run of characters, also an
 * empty one, and `\*` for a star. Takes time in proportion to the text: no pattern can make it slow.
 */
export function globMatches(pattern: string, text: string): boolean {
  const parts = partsOf(pattern)
  const first = parts[0]!
  if (parts.length === 1) return text === first
  const last = parts.at(-1)!
  if (text.length < first.length + last.length) return false
  if (!text.startsWith(first) || !text.endsWith(last)) return false
  let at = first.length
  const end = text.length - last.length
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return true
}

/**
 * Whether everything that matches `narrow` is known to match `wide` too. Says no when it cannot tell.
 */
export function globCovers(wide: string, narrow: string): boolean {
  if (wide === narrow) return true
  const inner = partsOf(narrow)
  if (inner.length === 1) return globMatches(wide, inner[0]!)
  const outer = partsOf(wide)
  if (outer.length === 1) return false
  // `a*b` takes in whatever surely begins with a and ends with b, unless something has to lie between.
  if (outer.length > 2) return false
  const [first, last] = [outer[0]!, outer[1]!]
  return inner[0]!.startsWith(first) && inner.at(-1)!.endsWith(last)
}

/** The literal pieces between the stars; one when there is no star. */
function partsOf(pattern: string): string[] {
  const parts = ['']
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i]!
    if (char === '\\' && pattern[i + 1] === '*') {
      parts[parts.length - 1] += '*'
      i++
    } else if (char === '*') parts.push('')
    else parts[parts.length - 1] += char
  }
  return parts
}
