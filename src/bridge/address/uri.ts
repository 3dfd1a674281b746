/** The parts of a SIP URI the bridge looks at. */
export interface UriParts {
  /** User part without its own parameters: `+44…` of `+44…;tgrp=x` (RFC 4904), unescaped. */
  user: string
  /** Lower case, without port; IPv6 keeps its brackets. */
  host: string
}

/** A From, To, Contact or P-Asserted-Identity value. */
export interface Party extends UriParts {
  /** Display name without quotes; '' when absent. */
  display: string
}

/** Reads `sip:`, `sips:` and `tel:` URIs; undefined when it is none of them. */
export function parseUri(uri: string): UriParts | undefined {
  const colon = uri.indexOf(':')
  const scheme = uri.slice(0, colon).toLowerCase()
  const rest = uri.slice(colon + 1)
  if (scheme === 'tel') return { user: unescapeUser(rest.split(';', 1)[0]!), host: '' }
  if (scheme !== 'sip' && scheme !== 'sips') return undefined
  const at = rest.lastIndexOf('@')
  const user = at < 0 ? '' : rest.slice(0, at).split(/[;:]/, 1)[0]!
  const hostport = rest.slice(at + 1).split(/[;?>]/, 1)[0]!
  const host = /^\[[^\]]*\]/.exec(hostport)?.[0] ?? hostport.split(':', 1)[0]!
  if (host === '') return undefined
  return { user: unescapeUser(user), host: host.toLowerCase() }
}

/** Reads a name-addr or addr-spec (RFC 3261 §20.10); undefined when there is no URI in it. */
export function parseParty(value: string): Party | undefined {
  const text = value.trim()
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(text)
  const rest = quoted ? text.slice(quoted[0].length) : text
  const open = rest.indexOf('<')
  // Without angle brackets, what follows a semicolon belongs to the header, not to the URI.
  const uri = open < 0 ? rest.split(';', 1)[0]!.trim() : rest.slice(open + 1).split('>', 1)[0]!
  const parts = parseUri(uri)
  if (!parts) return undefined
  const display = quoted ? quoted[1]!.replace(/\\(.)/g, '$1') : rest.slice(0, Math.max(0, open))
  return { ...parts, display: display.trim() }
}

/** The tag of a From or To value; undefined when it has none. */
export function tagOf(value: string | undefined): string | undefined {
  return value === undefined ? undefined : /;\s*tag=([^;,\s]+)/i.exec(value)?.[1]
}

/** Escapes what may not stand in a user part (RFC 3261 §25.1). */
export function escapeUser(user: string): string {
  return user.replace(/[^\w\-.!~*'()&=+$,;?/]/gu, (char) => {
    let out = ''
    for (const byte of Buffer.from(char))
      out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    return out
  })
}

/** Most characters of a display name. */
const DISPLAY_LIMIT = 128

/**
 * `"Name" ` for use before `<uri>`, or '' without a name. What a header line or a terminal could take
 * for more than text is dropped: control characters, line separators, changes of direction, halves of
 * surrogate pairs.
 */
export function displayPrefix(display: string): string {
  const text = display.replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '')
  const clean = [...text].slice(0, DISPLAY_LIMIT).join('').trim()
  return clean === '' ? '' : `"${clean.replace(/["\\]/g, '\\$&')}" `
}

function unescapeUser(user: string): string {
  if (!user.includes('%')) return user
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
