import { listItemEnd } from './grammar.ts'
import { headerLine } from './headers.ts'
import { lastTag, scanAddress } from './name-addr.ts'
import { reasonPhrase } from './reasons.ts'
import type { HeaderLine, SipRequest, SipResponse, Via } from './types.ts'
import { formatVia } from './via.ts'

/** What a response adds to the headers copied from its request. */
export interface ResponseParts {
  /** Tag for To; ignored when the request's To has one (in-dialog). */
  toTag?: string | undefined
  /** Further headers, in order. */
  headers?: readonly HeaderLine[]
  body?: Buffer | string | undefined
}

/** What makes up a request of ours. */
export interface RequestParts {
  method: string
  uri: string
  callId: string
  cseq: number
  /** From value with its tag. */
  from: string
  /** To value, with the tag in a dialog. */
  to: string
  /** Default 70. */
  maxForwards?: number
  /** Route, Contact and all others, in order. */
  headers?: readonly HeaderLine[]
  body?: Buffer | string | undefined
}

/**
 * A response with Via, From, To, Call-ID and CSeq of its request (RFC 3261 §8.2.6), Record-Route
 * in what can establish a dialog (§12.1.1) and Timestamp in 100. `reason` defaults to the
 * registered phrase.
 */
export function makeResponse(
  request: SipRequest,
  status: number,
  reason?: string,
  parts: ResponseParts = {},
): SipResponse {
  const headers: HeaderLine[] = []
  const routed = status > 100 && status < 300
  let toTag = request.toTag
  for (const { key, name, value } of request.headers) {
    switch (key) {
      case 'to':
        if (toTag === '' && parts.toTag) {
          toTag = parts.toTag
          headers.push({ key, name, value: `${value};tag=${toTag}` })
          break
        }
        headers.push({ key, name, value })
        break
      case 'via':
      case 'from':
      case 'call-id':
      case 'cseq':
        headers.push({ key, name, value })
        break
      case 'record-route':
        if (routed) headers.push({ key, name, value })
        break
      case 'timestamp':
        if (status === 100) headers.push({ key, name, value })
        break
    }
  }
  if (parts.headers) for (const line of parts.headers) headers.push(line)
  return {
    kind: 'response',
    status,
    reason: reason ?? reasonPhrase(status),
    headers,
    body: bodyOf(parts.body),
    callId: request.callId,
    cseq: request.cseq,
    method: request.method,
    fromTag: request.fromTag,
    toTag,
    via: request.via,
  }
}

/** A request without Via, which {@link withVia} adds for each target tried. */
export function makeRequest(parts: RequestParts): SipRequest {
  const headers: HeaderLine[] = [
    { key: 'max-forwards', name: 'Max-Forwards', value: String(parts.maxForwards ?? 70) },
    { key: 'from', name: 'From', value: parts.from },
    { key: 'to', name: 'To', value: parts.to },
    { key: 'call-id', name: 'Call-ID', value: parts.callId },
    { key: 'cseq', name: 'CSeq', value: `${parts.cseq} ${parts.method}` },
  ]
  if (parts.headers) for (const line of parts.headers) headers.push(line)
  return {
    kind: 'request',
    method: parts.method,
    uri: parts.uri,
    headers,
    body: bodyOf(parts.body),
    callId: parts.callId,
    cseq: parts.cseq,
    fromTag: tagOf(parts.from),
    toTag: tagOf(parts.to),
    via: noVia(),
  }
}

/** The request with a Via on top; the original is left as it is. */
export function withVia(request: SipRequest, via: Via): SipRequest {
  const line: HeaderLine = { key: 'via', name: 'Via', value: formatVia(via) }
  return { ...request, headers: [line, ...request.headers], via }
}

/**
 * The ACK for a non-2xx final response (RFC 3261 §17.1.1.3): Request-URI, Call-ID, From, Route and
 * the top Via of the INVITE, To of the response.
 */
export function makeAckForFailure(invite: SipRequest, response: SipResponse): SipRequest {
  const to = response.headers.find((line) => line.key === 'to')
  return hopByHop(invite, 'ACK', to?.value, response.toTag, undefined)
}

/**
 * The CANCEL of an INVITE as it was sent (RFC 3261 §9.1): same Request-URI, Call-ID, From, To,
 * CSeq number, Route and top Via. `extra` is added (Reason).
 */
export function makeCancel(invite: SipRequest, extra?: readonly HeaderLine[]): SipRequest {
  return hopByHop(invite, 'CANCEL', undefined, invite.toTag, extra)
}

function hopByHop(
  invite: SipRequest,
  method: 'ACK' | 'CANCEL',
  to: string | undefined,
  toTag: string,
  extra: readonly HeaderLine[] | undefined,
): SipRequest {
  const headers: HeaderLine[] = []
  let viaSeen = false
  for (const { key, name, value } of invite.headers) {
    switch (key) {
      case 'via':
        if (!viaSeen)
          headers.push({ key, name, value: value.slice(0, listItemEnd(value, 0)).trim() })
        viaSeen = true
        break
      case 'route':
      case 'from':
      case 'call-id':
        headers.push({ key, name, value })
        break
      case 'to':
        headers.push({ key, name, value: to ?? value })
        break
    }
  }
  headers.push(headerLine('CSeq', `${invite.cseq} ${method}`), headerLine('Max-Forwards', '70'))
  if (extra) for (const line of extra) headers.push(line)
  return { ...invite, method, headers, body: undefined, toTag }
}

function bodyOf(body: Buffer | string | undefined): Buffer | undefined {
  if (body === undefined || body.length === 0) return undefined
  return typeof body === 'string' ? Buffer.from(body) : body
}

function tagOf(address: string): string {
  return scanAddress(address, 0) < 0 ? '' : lastTag
}

function noVia(): Via {
  return {
    transport: '',
    host: '',
    port: undefined,
    branch: '',
    rport: undefined,
    received: undefined,
  }
}
