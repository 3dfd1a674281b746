/** What expanding one text came to. */
export interface Expansion {
  text: string
  /** Whether any variable was named. */
  expanded: boolean
  problems: VariableProblem[]
}

/** A reference that could not be expanded. */
export interface VariableProblem {
  kind: 'unset' | 'syntax'
  /** The variable's name, or the reference as written when its form is wrong. */
  name: string
}

const REFERENCE = /\$?\$\{[^}\n]*\}?/g
const SHIELD = 0xe000

/**
 * Makes every `${…}` harmless to the YAML parser by moving its characters into a private area of
 * Unicode, one for one, so that lines and columns stay: `{ token: ${TOKEN} }` would otherwise open a
 * mapping. {@link unshield} takes it back in the parsed scalars.
 */
export function shield(text: string): string {
  return text.replace(REFERENCE, (reference) =>
    reference.endsWith('}')
      ? reference.replace(/[\x20-\x7e]/g, (c) => String.fromCharCode(c.charCodeAt(0) + SHIELD))
      : reference,
  )
}

/** Undoes {@link shield}. */
export function unshield(text: string): string {
  return text.replace(/[\ue020-\ue07e]/g, (c) => String.fromCharCode(c.charCodeAt(0) - SHIELD))
}

/**
 * Expands `${VAR}` and `${VAR:-default}` (the default also stands in for an empty variable).
 * `$${` is a literal `${`. Values are inserted as they are, never expanded again.
 */
export function expand(text: string, env: Record<string, string | undefined>): Expansion {
  const problems: VariableProblem[] = []
  let expanded = false
  const result = text.replace(REFERENCE, (reference) => {
    if (reference.startsWith('$$')) return reference.slice(1)
    expanded = true
    const match = /^\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?\}$/.exec(reference)
    if (!match) {
      problems.push({ kind: 'syntax', name: reference })
      return ''
    }
    const value = env[match[1]!]
    if (match[2] !== undefined) return value || match[2]
    if (value === undefined) problems.push({ kind: 'unset', name: match[1]! })
    return value ?? ''
  })
  return { text: result, expanded, problems }
}
