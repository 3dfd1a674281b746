/**
 * Auth-params of RFC 7235 §2.1 as SIP uses them: `name=token` or `name="quoted"`, comma separated.
 * Several challenges may share one header value: a scheme name before a parameter begins the next.
 */
export interface AuthValue {
  /** Scheme as written: `Digest`. */
  scheme: string
  /** Parameter names in lower case; values unquoted. */
  params: Record<string, string>
}

const ITEM =
  /\s*(?:([A-Za-z][\w-]*)\s+)?([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))\s*(?:,|$)/y

/** Longest header value looked at; nobody's challenge is longer. */
const LIMIT = 4096

/** Splits a WWW-/Proxy-Authenticate or (Proxy-)Authorization value. Malformed input gives []. */
export function parseAuth(value: string): AuthValue[] {
  const found: AuthValue[] = []
  if (value.length > LIMIT) return found
  ITEM.lastIndex = 0
  while (ITEM.lastIndex < value.length) {
    const match = ITEM.exec(value)
    if (!match) return []
    const [, scheme, name, quoted, token] = match
    if (scheme !== undefined) found.push({ scheme, params: {} })
    const current = found.at(-1)
    if (!current) return []
    current.params[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token!
  }
  return found
}

/** The Digest entries of a header value. */
export function parseDigests(value: string | undefined): Record<string, string>[] {
  if (value === undefined) return []
  return parseAuth(value)
    .filter(({ scheme }) => scheme.toLowerCase() === 'digest')
    .map(({ params }) => params)
}

/** A quoted-string (RFC 3261 §25.1); control characters cannot appear. */
export function quote(text: string): string {
  return `"${text.replace(/[\x00-\x1f\x7f]/g, '').replace(/["\\]/g, '\\$&')}"`
}
