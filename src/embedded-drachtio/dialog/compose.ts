import {
  type HeaderLine,
  headerLine,
  headerValue,
  isToken,
  makeRequest,
  makeResponse,
  parseNameAddr,
  parseSipUri,
  type SipRequest,
  type SipResponse,
} from '../message/index.ts'
import { type PartialMessage, RefusedValue } from '../protocol/command.ts'
import { contactPolicy } from './methods.ts'
import { bracketedAddress, defaultContact, fillPlaceholder, type Local } from './placeholder.ts'

/** A request line an application wrote. */
export interface RequestLine {
  method: string
  uri: string
}

/** Splits `METHOD uri SIP/2.0`; undefined when it is not that. */
export function parseRequestLine(line: string): RequestLine | undefined {
  const parts = line.split(' ')
  if (parts.length !== 3 || !parts[2]!.startsWith('SIP/')) return undefined
  const [method, uri] = parts as [string, string]
  return isToken(method) && /^[A-Za-z][A-Za-z0-9+.-]*:[^<>"]+$/.test(uri)
    ? { method, uri }
    : undefined
}

/** Headers an application never sets: they are the stack's (RFC 3261 §8, §12, RFC 3262). */
const stackOwned = new Set(['via', 'route', 'record-route', 'rseq', 'content-length'])
/** Headers with a place of their own in every message. */
const placed = new Set(['from', 'to', 'call-id', 'cseq', 'max-forwards', 'contact', 'content-type'])
const addresses = new Set(['from', 'to', 'contact', 'p-asserted-identity'])

/** What an application's headers come to: placed ones by key, the others in order. */
interface Sorted {
  placed: Map<string, string>
  others: HeaderLine[]
}

function sort(headers: readonly HeaderLine[], local: Local): Sorted {
  const sorted: Sorted = { placed: new Map(), others: [] }
  for (const line of headers) {
    if (stackOwned.has(line.key)) continue
    const value = addresses.has(line.key)
      ? fillPlaceholder(line.key, line.value, local)
      : line.value
    if (!placed.has(line.key)) sorted.others.push({ ...line, value })
    else if (value !== '') sorted.placed.set(line.key, value)
  }
  return sorted
}

/** Content-Type as given, or of an SDP body; without either a body is refused. */
function contentType(given: string | undefined, body: Buffer | undefined): HeaderLine | undefined {
  if (given !== undefined) return headerLine('Content-Type', given)
  if (body === undefined) return undefined
  if (body.subarray(0, 3).toString('latin1') === 'v=0') {
    return headerLine('Content-Type', 'application/sdp')
  }
  throw new RefusedValue('missing content-type')
}

function checkedAddress(key: string, value: string): string {
  if (!parseNameAddr(value)) {
    throw new RefusedValue(`invalid ${key} value provided by client: ${value.slice(0, 200)}`)
  }
  return value
}

/** The value with the tag, in place of the one it may have. */
export function withTag(value: string, tag: string): string {
  const bare = bracketedAddress(value)
  const end = bare.lastIndexOf('>')
  const params = bare.slice(end + 1).replace(/;\s*tag\s*=[^;]*/i, '')
  return `${bare.slice(0, end + 1)}${params};tag=${tag}`
}

/** Values of a new request the application did not give. */
export interface RequestDefaults {
  callId: () => string
  tag: () => string
  cseq: () => number
}

/**
 * A request outside dialogs from an application's partial message. `routed` keeps its Route: the set
 * behind a next hop it has named, such as the Path of a registration (RFC 3327 §5.4).
 *
 * @throws RefusedValue
 */
export function composeRequest(
  line: RequestLine,
  message: PartialMessage,
  local: Local,
  defaults: RequestDefaults,
  routed = false,
): SipRequest {
  const { method } = line
  const { uri, headers, body } = uriHeaders(line.uri, message)
  const sorted = sort(headers, local)
  let from = sorted.placed.get('from') ?? defaultContact(local)
  from = checkedAddress('from', from)
  if (!parseNameAddr(from)?.params['tag']) from = withTag(from, defaults.tag())
  const lines: HeaderLine[] = routed ? headers.filter(({ key }) => key === 'route') : []
  const contact = sorted.placed.get('contact')
  if (contact !== undefined) lines.push(headerLine('Contact', contact))
  else if (contactPolicy.newRequest.has(method)) {
    lines.push(headerLine('Contact', defaultContact(local)))
  }
  lines.push(...sorted.others)
  const type = contentType(sorted.placed.get('content-type'), body)
  if (type) lines.push(type)
  return makeRequest({
    method,
    uri,
    callId: sorted.placed.get('call-id') ?? defaults.callId(),
    cseq: cseqNumber(sorted.placed.get('cseq')) ?? defaults.cseq(),
    from,
    to: checkedAddress('to', sorted.placed.get('to') ?? `<${uri}>`),
    maxForwards: decimalHeader(sorted.placed.get('max-forwards')) ?? 70,
    headers: lines,
    body,
  })
}

/** What a dialog fixes in a request. */
export interface DialogParts {
  uri: string
  routes: string[]
  callId: string
  cseq: number
  from: string
  to: string
  contact: string
}

/** A request in a dialog: identity from the dialog, the rest from the application. @throws RefusedValue */
export function composeDialogRequest(
  method: string,
  message: PartialMessage,
  parts: DialogParts,
  local: Local,
): SipRequest {
  const sorted = sort(message.headers, local)
  const lines: HeaderLine[] = parts.routes.map((route) => headerLine('Route', route))
  const contact = sorted.placed.get('contact')
  if (contact !== undefined) lines.push(headerLine('Contact', contact))
  else if (contactPolicy.inDialog.has(method)) {
    lines.push(headerLine('Contact', parts.contact || defaultContact(local)))
  }
  lines.push(...sorted.others)
  const type = contentType(sorted.placed.get('content-type'), message.body)
  if (type) lines.push(type)
  return makeRequest({
    method,
    uri: parts.uri,
    callId: parts.callId,
    cseq: parts.cseq,
    from: sameTag('from', sorted.placed.get('from'), parts.from),
    to: sameTag('to', sorted.placed.get('to'), parts.to),
    headers: lines,
    body: message.body,
  })
}

/** The application may change the URI of From and To, the tag is the dialog's. */
function sameTag(key: string, given: string | undefined, own: string): string {
  if (given === undefined) return own
  const tag = parseNameAddr(own)?.params['tag']
  const value = checkedAddress(key, given)
  return tag ? withTag(value, tag) : value
}

/** A status line an application wrote. */
export interface StatusLine {
  status: number
  reason: string | undefined
}

/** Splits `SIP/2.0 180 Ringing`; undefined when the status is none. */
export function parseStatusLine(line: string): StatusLine | undefined {
  const match = /^SIP\/\d\.\d ([1-6]\d\d)(?: (.*))?$/.exec(line)
  return match ? { status: Number(match[1]), reason: match[2] || undefined } : undefined
}

/** Tag of the To an application wrote, to be that of its responses. */
export function toTagOf(message: PartialMessage): string | undefined {
  const to = headerValue(message.headers, 'to')
  if (to === undefined) return undefined
  const tag = parseNameAddr(bracketedAddress(to))?.params['tag']
  return tag && isToken(tag) ? tag : undefined
}

/**
 * A response from an application's partial message. `contact` is added when it gives none and the
 * response is one that needs it. @throws RefusedValue
 */
export function composeResponse(
  request: SipRequest,
  line: StatusLine,
  message: PartialMessage,
  own: { toTag: string; contact: string | undefined; extra: HeaderLine[]; local: Local },
): SipResponse {
  const sorted = sort(message.headers, own.local)
  const headers: HeaderLine[] = []
  const contact = sorted.placed.get('contact') ?? own.contact
  if (contact !== undefined) headers.push(headerLine('Contact', contact))
  headers.push(...sorted.others, ...own.extra)
  const type = contentType(sorted.placed.get('content-type'), message.body)
  if (type) headers.push(type)
  return makeResponse(request, line.status, line.reason, {
    toTag: own.toTag,
    headers,
    body: message.body,
  })
}

/** Headers of a CANCEL: nothing that names the call, which is copied from the INVITE. */
export function cancelHeaders(message: PartialMessage): HeaderLine[] {
  return message.headers.filter(
    (line) =>
      !stackOwned.has(line.key) && !placed.has(line.key) && line.key !== 'p-asserted-identity',
  )
}

function cseqNumber(value: string | undefined): number | undefined {
  const number = decimalHeader(value?.trim().split(/\s+/)[0])
  return number !== undefined && number < 2 ** 31 ? number : undefined
}

function decimalHeader(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,10}$/.test(value) ? Number(value) : undefined
}

/** Turns the `?name=value` part of a SIP URI into headers and body (RFC 3261 §19.1.5). */
function uriHeaders(
  uri: string,
  message: PartialMessage,
): { uri: string; headers: HeaderLine[]; body: Buffer | undefined } {
  const raw = uri.includes('?') ? parseSipUri(uri)?.headers : undefined
  if (raw === undefined) return { uri, headers: message.headers, body: message.body }
  const headers = [...message.headers]
  let body = message.body
  for (const pair of raw.split('&')) {
    const equals = pair.indexOf('=')
    if (equals < 1) continue
    const name = decode(pair.slice(0, equals))
    const value = decode(pair.slice(equals + 1))
    if (name.toLowerCase() === 'body') {
      body ??= Buffer.from(value)
      continue
    }
    if (!isToken(name) || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) {
      throw new RefusedValue('line break or control character in a value')
    }
    const line = headerLine(name, value)
    if (!placed.has(line.key) || line.key === 'content-type') headers.push(line)
  }
  return { uri: uri.slice(0, uri.indexOf('?')), headers, body }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new RefusedValue('malformed escape in a URI')
  }
}
