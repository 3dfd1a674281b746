/** Whom a REFER asks us to call (RFC 3515 §2.1). */
export interface ReferTarget {
  /** User part as written, escapes and all; '' when absent. Of a tel URI the number. */
  user: string
  /** Lower case, IPv6 in brackets; '' of a tel URI. */
  host: string
  port: number | undefined
  /** Method to be used: `INVITE` unless the URI names another. */
  method: string
  /** Replaces header to put into the INVITE (RFC 3891), of an attended transfer. */
  replaces: string | undefined
}

const SIP_URI = /^sips?:(?:([^@\s<>"]*)@)?(\[[^\]\s]+\]|[^:;?\s<>"]+)(?::(\d{1,5}))?([^\s<>"]*)$/i

/** Reads a Refer-To header; undefined when it is none, or more than one. */
export function parseReferTo(value: string): ReferTarget | undefined {
  const bracketed = /^[^<>]*<([^<>]*)>\s*(?:;[^<>,]*)?$/.exec(value)
  const uri = bracketed ? bracketed[1]! : value.split(/[;,]/, 1)[0]!.trim()
  if (!bracketed && /[<>,]/.test(value)) return undefined
  const tel = /^tel:([^;?\s]+)/i.exec(uri)
  if (tel)
    return { user: tel[1]!, host: '', port: undefined, method: 'INVITE', replaces: undefined }
  const parts = SIP_URI.exec(uri)
  if (!parts) return undefined
  const [, user = '', host = '', port, rest = ''] = parts
  const [params = '', headers = ''] = rest.split('?', 2)
  const replaces = headerIn(headers, 'replaces')
  if (replaces === null) return undefined
  return {
    // Parameters inside the user part and a password are for nobody here.
    user: user.split(/[;:]/, 1)[0]!,
    host: host.toLowerCase(),
    port: port === undefined ? undefined : Number(port),
    method: /;method=([\w-]+)/i.exec(params)?.[1]?.toUpperCase() ?? 'INVITE',
    replaces,
  }
}

/** A header among those of a URI, unescaped; null when it holds what no header may. */
function headerIn(headers: string, name: string): string | undefined | null {
  for (const pair of headers.split('&')) {
    const equals = pair.indexOf('=')
    if (equals < 0 || pair.slice(0, equals).toLowerCase() !== name) continue
    try {
      const value = decodeURIComponent(pair.slice(equals + 1))
      return /[\x00-\x1f\x7f]/.test(value) || value === '' ? null : value
    } catch {
      return null
    }
  }
  return undefined
}
