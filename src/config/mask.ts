/** Keys whose values are secret, wherever they stand. `<key>_file` names a file and is not. */
export const SECRET_KEYS: ReadonlySet<string> = new Set([
  'access_token',
  'sip_password',
  'password',
  'token',
  'verify_token',
  'app_secret',
])

const PAIR =
  /(["']?[\w-]*(?:pass|secret|token|tokn|pasw)[\w-]*["']?\s*:\s+)("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|\$\{[^}]*\}[^\s,}]*|[^\s,{}#][^,}#]*)/gi
const USERINFO = /(:\/\/[^/@\s:]*:)(\S+)(@)/g
const MASK = '[redacted]'

/**
 * A line of the file fit to be shown: what stands behind a key that looks like a secret's (misspelt
 * ones included) is replaced, references to variables are not. `column` is moved along.
 */
export function maskLine(line: string, column: number): { text: string; column: number } {
  let moved = column
  const replace = (start: number, secret: string): string => {
    const kept = secret.trimEnd()
    const end = start + kept.length
    if (column - 1 >= end) moved += MASK.length - kept.length
    else if (column - 1 > start) moved = start + 1 + (moved - column)
    return MASK + secret.slice(kept.length)
  }
  let text = line.replace(PAIR, (whole, key: string, value: string, offset: number) => {
    if (/_file["']?\s*:\s+$/i.test(key) || isReference(value)) return whole
    return key + replace(offset + key.length, value)
  })
  if (text === line) {
    text = line.replace(USERINFO, (whole, before: string, secret: string, at: string, offset) =>
      isReference(secret) ? whole : before + replace(offset + before.length, secret) + at,
    )
  }
  return { text, column: moved }
}

function isReference(value: string): boolean {
  return /^["']?(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})["']?\s*$/.test(value)
}
