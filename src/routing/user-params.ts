/** Parameters of a user part by name in lower case; a parameter without a value has ''. */
export type UserParams = ReadonlyMap<string, string>

/**
 * The parameters inside the user part of a SIP URI, where WhatsApp puts `request_uri_user_params`:
 * `sip:+441632960123;tgrp=sales;trunk-context=byoc.example.com@host` (RFC 4904 §5). Percent escapes
 * are undone, names are folded to lower case (RFC 3966 §4); of a name that comes twice the first counts.
 */
export function userParamsOf(uri: string): UserParams {
  const params = new Map<string, string>()
  const scheme = /^(?:sips?|tel):/i.exec(uri)
  const at = uri.lastIndexOf('@')
  if (!scheme || at < 0) return params
  // What follows a colon is a password.
  const user = uri.slice(scheme[0].length, at).split(':', 1)[0]!
  for (const part of user.split(';').slice(1)) {
    const equals = part.indexOf('=')
    const name = unescaped(equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    if (name === '' || params.has(name)) continue
    params.set(name, equals < 0 ? '' : unescaped(part.slice(equals + 1)))
  }
  return params
}

function unescaped(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
