import { bracketed } from '../../shared/host-port.ts'
import { decimal } from './grammar.ts'
import type { SipUri } from './types.ts'

const hostName = /^[a-z0-9](?:[a-z0-9._-]*[a-z0-9.])?$/
const ipv6 = /^[0-9a-f:.]*:[0-9a-f:.]*(?:%[0-9a-z._~-]+)?$/
// What would break the header around the URI. The grammar asks to escape more (`#`, `|`, `{`), but
// dialled strings such as `*21#` reach us raw from many phones.
const userForbidden = /[\s"<>@\x00-\x1f\x7f]/

/**
 * Parses a sip: or sips: URI (RFC 3261 §19.1). User, password, parameter values and headers stay
 * as written, escapes included; parameters inside the user part (RFC 4904 `;tgrp=`) stay in `user`.
 * Undefined for other schemes (tel:, urn:) and for malformed URIs.
 */
export function parseSipUri(text: string): SipUri | undefined {
  const colon = text.indexOf(':')
  const scheme = text.slice(0, colon).toLowerCase()
  if (scheme !== 'sip' && scheme !== 'sips') return undefined

  let user: string | undefined
  let password: string | undefined
  let i = colon + 1
  const at = text.indexOf('@', i)
  if (at >= 0) {
    user = text.slice(i, at)
    const split = user.indexOf(':')
    if (split >= 0) {
      password = user.slice(split + 1)
      user = user.slice(0, split)
      if (userForbidden.test(password)) return undefined
    }
    if (user === '' || userForbidden.test(user)) return undefined
    i = at + 1
  }

  let end = i
  if (text.charCodeAt(i) === 0x5b) {
    end = text.indexOf(']', i) + 1
    if (end === 0) return undefined
  } else {
    while (end < text.length && !':;?'.includes(text[end]!)) end++
  }
  const host = normalHost(text.slice(i, end))
  if (host === undefined) return undefined

  let port: number | undefined
  if (text.charCodeAt(end) === 0x3a) {
    const from = end + 1
    end = from
    while (end < text.length && !';?'.includes(text[end]!)) end++
    port = decimal(text, from, end, 65535)
    if (Number.isNaN(port)) return undefined
  }

  const question = text.indexOf('?', end)
  const paramsEnd = question < 0 ? text.length : question
  const params = parseParams(text, end, paramsEnd)
  if (!params) return undefined
  const headers = question < 0 ? undefined : text.slice(question + 1)
  if (headers !== undefined && /[\s"<>]/.test(headers)) return undefined
  return { scheme, user, password, host, port, params, headers }
}

/** Lower-case host without IPv6 brackets; undefined when it is neither name nor address. */
export function normalHost(text: string): string | undefined {
  const host = text.toLowerCase()
  if (host.startsWith('[')) {
    const inner = host.slice(1, -1)
    return host.endsWith(']') && ipv6.test(inner) ? inner : undefined
  }
  return hostName.test(host) ? host : undefined
}

function parseParams(text: string, from: number, to: number): Record<string, string> | undefined {
  const params: Record<string, string> = {}
  if (from === to) return params
  if (text.charCodeAt(from) !== 0x3b) return undefined
  for (const part of text.slice(from + 1, to).split(';')) {
    const equals = part.indexOf('=')
    const name = (equals < 0 ? part : part.slice(0, equals)).toLowerCase()
    if (name === '' || /[\s"<>@,]/.test(part)) return undefined
    if (!Object.hasOwn(params, name)) params[name] = equals < 0 ? '' : part.slice(equals + 1)
  }
  return params
}

/** Writes a URI; the counterpart of {@link parseSipUri}. */
export function formatSipUri(uri: SipUri): string {
  let text = `${uri.scheme}:`
  if (uri.user !== undefined) {
    text += uri.password === undefined ? `${uri.user}@` : `${uri.user}:${uri.password}@`
  }
  text += bracketed(uri.host)
  if (uri.port !== undefined) text += `:${uri.port}`
  for (const name of Object.keys(uri.params)) {
    const value = uri.params[name]!
    text += value === '' ? `;${name}` : `;${name}=${value}`
  }
  if (uri.headers !== undefined) text += `?${uri.headers}`
  return text
}

// These count even when only one of the URIs has them (RFC 3261 §19.1.4).
const decisive = ['user', 'ttl', 'method', 'maddr', 'transport'] as const

/** Whether two URIs are equal by RFC 3261 §19.1.4. */
export function sameSipUri(a: SipUri, b: SipUri): boolean {
  if (a.scheme !== b.scheme || a.host !== b.host || a.port !== b.port) return false
  if (unescaped(a.user) !== unescaped(b.user)) return false
  if (unescaped(a.password) !== unescaped(b.password)) return false
  for (const name of decisive) {
    if ((a.params[name] === undefined) !== (b.params[name] === undefined)) return false
  }
  for (const name of Object.keys(a.params)) {
    if (!Object.hasOwn(b.params, name)) continue
    if (unescaped(a.params[name])!.toLowerCase() !== unescaped(b.params[name])!.toLowerCase()) {
      return false
    }
  }
  return headerSet(a.headers) === headerSet(b.headers)
}

function headerSet(headers: string | undefined): string {
  return (headers ?? '')
    .split('&')
    .map((header) => unescaped(header)!)
    .sort()
    .join('&')
}

/** Resolves `%hh` escapes byte by byte, so that any sequence can be compared. */
function unescaped(text: string | undefined): string | undefined {
  return text?.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
}
