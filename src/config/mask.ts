/** Keys whose values are secret, wherever they stand. `<key>_file` names a file and is not. */
export const SECRET_KEYS: ReadonlySet<string> = new Set([
  'access_token',
  'sip_password',
  'password',
  'token',
  'verify_token',
  'app_secret',
  'secret',
])

const SECRET_WORD = /pass|secret|token|tokn|pasw/i
// Behind a quoted key no blank is needed after the colon, as in JSON (YAML 1.2 §7.4.2).
const PAIR =
  /((?:(["'])[\w-]*(?:pass|secret|token|tokn|pasw)[\w-]*\2\s*:\s*)|(?:[\w-]*(?:pass|secret|token|tokn|pasw)[\w-]*\s*:\s+))("(?:[^"\\]|\\.)*"?|'(?:[^']|'')*'?|\$\{[^}]*\}[^\s,}]*|[^\s,{}#][^,}#]*)/gi
const USERINFO = /(:\/\/[^/@\s:]*:)(\S+)(@)/g
const MASK = '[redacted]'

/** A line and a column of it, counted from 1. */
interface Place {
  text: string
  column: number
}

/**
 * A line of the file fit to be shown: what stands behind a key that looks like a secret's (misspelt
 * ones included) and the password of a URL are replaced, references to variables are not. `column`
 * is moved along.
 */
export function maskLine(line: string, column: number): Place {
  const pairs = hide({ text: line, column }, PAIR, (match) => {
    const [, key = '', , value = ''] = match
    return /_file["']?\s*:\s*$/i.test(key) ? undefined : { before: key, secret: value }
  })
  return hide(pairs, USERINFO, ([, before = '', secret = '']) => ({ before, secret }))
}

/** Whether a key's value is to be kept from sight. */
export function looksSecret(key: string): boolean {
  return SECRET_WORD.test(key) && !key.endsWith('_file')
}

function hide(
  { text, column }: Place,
  pattern: RegExp,
  find: (match: RegExpExecArray) => { before: string; secret: string } | undefined,
): Place {
  let shown = ''
  let from = 0
  let moved = column
  for (const match of text.matchAll(pattern)) {
    const found = find(match)
    if (!found || isReference(found.secret) || found.secret.startsWith(MASK)) continue
    const start = match.index + found.before.length
    const end = start + found.secret.trimEnd().length
    if (column - 1 >= end) moved += MASK.length - (end - start)
    else if (column - 1 > start) moved -= column - 1 - start
    shown += text.slice(from, start) + MASK
    from = end
  }
  return { text: shown + text.slice(from), column: moved }
}

function isReference(value: string): boolean {
  return /^["']?(?:\$\{[A-Za-z_][A-Za-z0-9_]*\})["']?\s*$/.test(value)
}
