import { isIP } from 'node:net'

/** A SIP URI with what the bridge keeps of it. */
export interface SipAddress {
  /** User part as written, escaped, with its parameters; '' without one. */
  user: string
  /** Lower case; IPv6 without brackets. */
  host: string
  port: number | undefined
  transport: 'udp' | 'tcp' | 'tls'
  /** URI parameters as written, each with its semicolon. */
  params: string
}

/** One entry of a Contact, Path or Route header. */
export interface NameAddr {
  uri: string
  /** Header parameters: names in lower case, values unquoted, '' without one. */
  params: Readonly<Record<string, string>>
}

/** Splits a header at commas outside quotes and `<>` (RFC 3261 §7.3.1). */
export function splitValues(header: string): string[] {
  const parts: string[] = []
  let start = 0
  let quoted = false
  let bracket = false
  for (let at = 0; at <= header.length; at++) {
    const char = header[at]
    if (char === '\\' && quoted) at++
    else if (char === '"' && !bracket) quoted = !quoted
    else if (char === '<' && !quoted) bracket = true
    else if (char === '>' && !quoted) bracket = false
    else if (char === undefined || (char === ',' && !quoted && !bracket)) {
      const part = header.slice(start, at).trim()
      if (part !== '') parts.push(part)
      start = at + 1
    }
  }
  return parts
}

/** Reads one name-addr or addr-spec with its parameters; undefined when there is no URI in it. */
export function parseNameAddr(value: string): NameAddr | undefined {
  const text = value.trim().replace(/^"(?:[^"\\]|\\.)*"\s*/, '')
  const bracketed = /^[^<>"]*<([^<>\s]+)>(.*)$/s.exec(text)
  const bare = bracketed ? undefined : /^([^;<>\s]+)(.*)$/s.exec(text)
  const match = bracketed ?? bare
  if (!match || !/^[a-z][a-z\d+.-]*:/i.test(match[1]!)) return undefined
  return { uri: match[1]!, params: parametersOf(match[2]!) }
}

/** RFC 3261 §25.1; what a parameter may hold is that of its `paramchar`. */
const SIP =
  /^(sips?):(?:([^@\s"<>]*)@)?(\[[\da-f:.]+\]|[a-z\d](?:[\w.-]*[a-z\d.])?)(?::(\d{1,5}))?((?:;[\w\-.!~*'()[\]/:&+$%]+(?:=[\w\-.!~*'()[\]/:&+$%=]*)?)*)(?=\?|$)/i

/**
 * Reads a `sip:` or `sips:` URI; undefined when nobody can be called by it: it is neither, its host or
 * port is none, or it names a transport there is none of.
 */
export function parseSipAddress(uri: string): SipAddress | undefined {
  const match = SIP.exec(uri)
  if (!match) return undefined
  const [, scheme, user = '', host, digits, params] = match
  const port = digits === undefined ? undefined : Number(digits)
  if (port === 0 || (port ?? 1) > 65_535) return undefined
  if (host!.startsWith('[') && isIP(host!.slice(1, -1)) !== 6) return undefined
  const named = /;\s*transport=([^;\s]*)/i.exec(params!)?.[1]?.toLowerCase()
  const transport = scheme!.toLowerCase() === 'sips' ? 'tls' : (named ?? 'udp')
  if (transport !== 'udp' && transport !== 'tcp' && transport !== 'tls') return undefined
  return {
    user,
    host: host!.replace(/^\[|\]$/g, '').toLowerCase(),
    port,
    transport,
    params: params!,
  }
}

/** The value of a parameter of a SIP URI, whatever others hold; undefined without it. */
export function uriParameter(uri: string, name: string): string | undefined {
  const rest = uri.slice(uri.indexOf('@') + 1).split('?', 1)[0]!
  for (const part of rest.split(';').slice(1)) {
    const equals = part.indexOf('=')
    if (equals > 0 && part.slice(0, equals).toLowerCase() === name) return part.slice(equals + 1)
  }
  return undefined
}

const PARAMETER = /;\s*([^=;,\s"]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;,\s"]*)))?/g

function parametersOf(text: string): Record<string, string> {
  const params: Record<string, string> = Object.create(null)
  for (const [, name, quoted, token] of text.matchAll(PARAMETER)) {
    params[name!.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? token ?? ''
  }
  return params
}
