import {
  type HeaderLine,
  headerLine,
  makeResponse,
  reasonPhrase,
  type SipRequest,
  type SipResponse,
  type Via,
} from '../../embedded-drachtio/message/index.ts'
import type { Random } from '../../shared/random.ts'
import type { Consumer } from './consumers.ts'
import { alphanumeric } from './digest.ts'
import { ALLOW, DOMAIN, RECORD_ROUTES, USER_AGENT } from './identity.ts'

/** The parts of a request of WhatsApp that differ from call to call. */
export interface RequestShape {
  method: 'INVITE' | 'ACK' | 'BYE'
  uri: string
  /** Proxies of the business that asked to stay in the path. */
  routes: readonly string[]
  from: string
  to: string
  contact: string | undefined
  callId: string
  cseq: number
  /** Headers between X-FB-External-Domain and User-Agent: x-wa-meta-*, Reason, Proxy-Authorization. */
  extra: readonly HeaderLine[]
  allow: boolean
  body: string | undefined
}

const NETWORK = '2001:db8:f948:9597'

/**
 * A request as it leaves WhatsApp's edge, header order included: the edge's Via, the two recorded
 * proxies, the Vias of the inner hops.
 */
export function shapeRequest(shape: RequestShape, random: Random): SipRequest {
  const branch = `z9hG4bKPj${random.hex(16)}`
  const inner = alphanumeric(random, 31)
  const port = random.int(49152, 65536)
  const innerPort = random.int(49152, 65536)
  const sender = `${NETWORK}:1ac5:cdf8:300:0`
  const headers: HeaderLine[] = [
    line('Via', `SIP/2.0/TLS [${NETWORK}::]:${port};rport;branch=${branch};alias`),
    ...RECORD_ROUTES.map((route) => line('Record-Route', route)),
    line('Via', `SIP/2.0/TLS [${NETWORK}:d33c:e00:400:0]:5061;branch=${branch}`),
    line(
      'Via',
      `SIP/2.0/TLS [${sender}]:${innerPort};rport=${innerPort};received=${sender};branch=z9hG4bKPj-${inner};alias`,
    ),
    ...shape.routes.map((route) => line('Route', route)),
    line('Max-Forwards', '69'),
    line('From', shape.from),
    line('To', shape.to),
  ]
  if (shape.contact) headers.push(line('Contact', shape.contact))
  headers.push(
    line('Call-ID', shape.callId),
    line('CSeq', `${shape.cseq} ${shape.method}`),
    line('X-FB-External-Domain', DOMAIN),
    ...shape.extra,
  )
  if (shape.allow) headers.push(line('Allow', ALLOW))
  headers.push(line('User-Agent', USER_AGENT))
  if (shape.body !== undefined) headers.push(line('Content-Type', 'application/sdp'))
  const via: Via = {
    transport: 'TLS',
    host: `${NETWORK}::`,
    port,
    branch,
    rport: 0,
    received: undefined,
  }
  return {
    kind: 'request',
    method: shape.method,
    uri: shape.uri,
    headers,
    body: shape.body === undefined ? undefined : Buffer.from(shape.body),
    callId: shape.callId,
    cseq: shape.cseq,
    fromTag: tagOf(shape.from),
    toTag: tagOf(shape.to),
    via,
  }
}

/** The headers that identify a call and its consumer, on INVITE and BYE alike. */
export function metaHeaders(options: {
  wacid: string
  consumer: Consumer
  phoneNumberId?: string
  ctaPayload?: string | undefined
  deeplinkPayload?: string | undefined
  /** Seconds. */
  duration?: number
}): HeaderLine[] {
  const { wacid, consumer } = options
  const headers = [line('x-wa-meta-wacid', wacid)]
  if (options.duration !== undefined) {
    headers.push(line('x-wa-meta-call-duration', String(options.duration)))
  }
  if (options.ctaPayload !== undefined) {
    headers.push(line('x-wa-meta-cta-payload', options.ctaPayload))
  }
  if (options.deeplinkPayload !== undefined) {
    headers.push(line('x-wa-meta-deeplink-payload', options.deeplinkPayload))
  }
  if (options.phoneNumberId !== undefined) {
    headers.push(
      line('x-wa-meta-phone-number-id', options.phoneNumberId),
      line('x-wa-meta-country-code', consumer.country),
    )
  }
  return [...headers, ...userHeaders(consumer)]
}

/** The BSUID headers of INVITE, 200 OK and BYE. */
export function userHeaders(consumer: Consumer): HeaderLine[] {
  const headers = [line('x-wa-meta-user-id', consumer.userId)]
  if (consumer.parentUserId) {
    headers.push(line('x-wa-meta-parent-user-id', consumer.parentUserId))
  }
  if (consumer.username) headers.push(line('x-wa-meta-username', consumer.username))
  return headers
}

/** A final response with its text in the reason phrase and in `Warning: 399`. */
export function refusal(
  request: SipRequest,
  status: number,
  text: string,
  toTag: string,
): SipResponse {
  return makeResponse(request, status, text, {
    toTag,
    headers: [
      line('Warning', `399 ${DOMAIN} "${text}"`),
      line('Allow', ALLOW),
      line('X-FB-External-Domain', DOMAIN),
    ],
  })
}

/** A response with nothing but what every final response of WhatsApp carries. */
export function plainResponse(
  request: SipRequest,
  status: number,
  toTag: string,
  reason = reasonPhrase(status),
): SipResponse {
  return makeResponse(request, status, reason, {
    toTag,
    headers: [line('Allow', ALLOW), line('X-FB-External-Domain', DOMAIN)],
  })
}

/**
 * The challenge: Via, Record-Route, Call-ID, From, To and CSeq echoed, a To tag equal to the top
 * branch, the Proxy-Authenticate lines, nothing else.
 */
export function challengeResponse(request: SipRequest, challenges: readonly string[]): SipResponse {
  const response = makeResponse(request, 407, undefined, { toTag: request.via.branch })
  const routes = request.headers.filter((header) => header.key === 'record-route')
  const after = response.headers.findLastIndex((header) => header.key === 'via') + 1
  response.headers.splice(after, 0, ...routes)
  for (const value of challenges) response.headers.push(line('Proxy-Authenticate', value))
  return response
}

/** A header line, its name as WhatsApp writes it. */
export function line(name: string, value: string): HeaderLine {
  const known = headerLine(name, value)
  return { key: known.key, name, value }
}

function tagOf(value: string): string {
  return /;tag=([^;]+)/.exec(value)?.[1] ?? ''
}
