import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Duplex } from 'node:stream'
import { checkServerIdentity } from 'node:tls'
import type { SipTransport } from '../../config/types.ts'
import {
  headerLine,
  makeRequest,
  parseMessage,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  StreamFramer,
  serializeMessage,
  withVia,
} from '../../embedded-drachtio/message/index.ts'
import type { DoctorContext, Trust } from '../context.ts'
import { handshake, isOpen } from './tls.ts'

/** Where a request is sent. */
export interface SipPlace {
  host: string
  port: number
  transport: SipTransport
  /** Name the certificate must cover; default: the host. */
  name?: string
  /** What to trust and to present; default: the context's. */
  trust?: Trust
}

/** What an OPTIONS is made of. */
export interface OptionsParts {
  uri: string
  from: string
  to: string
  cseq?: number
  callId?: string
  /** Value of Proxy-Authorization or Authorization. */
  authorization?: { header: string; value: string }
}

/** Why no answer came. */
export class NoAnswer extends Error {
  /** `timeout`, or a system or OpenSSL code. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Milliseconds an answer may take. */
export const ANSWER_LIMIT = 4000
/** Timer T1 doubling (RFC 3261 §17.1.2.1): when a datagram is sent again. */
const REPEAT = [500, 1500]

/** An OPTIONS request of ours, without Via. */
export function makeOptions(context: DoctorContext, parts: OptionsParts): SipRequest {
  const { random } = context
  const { authorization, cseq = 1 } = parts
  return makeRequest({
    method: 'OPTIONS',
    uri: parts.uri,
    callId: parts.callId ?? `doctor-${random.hex(12)}`,
    cseq,
    from: `${parts.from};tag=${random.hex(6)}`,
    to: parts.to,
    headers: [
      headerLine('Accept', 'application/sdp'),
      headerLine('User-Agent', 'Causeway doctor'),
      ...(authorization ? [headerLine(authorization.header, authorization.value)] : []),
    ],
  })
}

/** Sends a request and gives the final response. Rejects with {@link NoAnswer}. */
export function ask(
  context: DoctorContext,
  place: SipPlace,
  request: SipRequest,
): Promise<SipResponse> {
  return place.transport === 'udp'
    ? askByDatagram(context, place, request)
    : askByStream(context, place, request)
}

function via(context: DoctorContext, transport: SipTransport, host: string, port: number) {
  return {
    transport: transport.toUpperCase(),
    host,
    port,
    branch: `z9hG4bK${context.random.hex(8)}`,
    rport: 0,
    received: undefined,
  }
}

function answers(message: SipMessage, request: SipRequest): message is SipResponse {
  return message.kind === 'response' && message.callId === request.callId && message.status >= 200
}

function askByDatagram(
  context: DoctorContext,
  place: SipPlace,
  request: SipRequest,
): Promise<SipResponse> {
  const { clock, signal } = context
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(place.host) ? 'udp6' : 'udp4')
    const timers = new Set<{ clear(): void }>()
    const end = (): void => {
      for (const timer of timers) timer.clear()
      signal.removeEventListener('abort', onAbort)
      try {
        socket.close()
      } catch {
        // Closed already.
      }
    }
    const fail = (code: string, message: string): void => {
      end()
      reject(new NoAnswer(code, message))
    }
    const onAbort = (): void => fail('aborted', 'interrupted')
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'error', error.message))
    socket.on('message', (bytes) => {
      const message = read(bytes)
      if (!message || !answers(message, request)) return
      end()
      resolve(message)
    })
    socket.on('connect', () => {
      const { address, port } = socket.address()
      const bytes = serializeMessage(withVia(request, via(context, 'udp', address, port)))
      const send = (): void => socket.send(bytes, () => {})
      send()
      for (const ms of REPEAT) timers.add(clock.setTimeout(send, ms))
    })
    timers.add(
      clock.setTimeout(
        () => fail('timeout', `no answer in ${ANSWER_LIMIT / 1000} s`),
        ANSWER_LIMIT,
      ),
    )
    socket.connect(place.port, place.host)
  })
}

async function askByStream(
  context: DoctorContext,
  place: SipPlace,
  request: SipRequest,
): Promise<SipResponse> {
  const { clock, system, signal } = context
  const dial = () => system.dial(place.host, place.port)
  let stream: Duplex
  let local: { address: string; port: number } = { address: '0.0.0.0', port: 0 }
  if (place.transport === 'tls') {
    const name = place.name ?? place.host
    const outcome = await handshake({
      dial,
      name,
      trust: place.trust ?? context.trust,
      clock,
      signal,
    })
    if (!isOpen(outcome)) throw new NoAnswer(outcome.code, outcome.message)
    const wrong = outcome.chainError ?? checkServerIdentity(name, outcome.peer)?.message
    if (wrong) {
      outcome.socket.destroy()
      throw new NoAnswer('certificate', wrong)
    }
    stream = outcome.socket
  } else {
    const socket = dial()
    stream = socket
    socket.once('connect', () => {
      local = { address: socket.localAddress ?? local.address, port: socket.localPort ?? 0 }
    })
  }
  return new Promise((resolve, reject) => {
    const end = (): void => {
      timer.clear()
      signal.removeEventListener('abort', onAbort)
      stream.destroy()
    }
    const fail = (code: string, message: string): void => {
      end()
      reject(new NoAnswer(code, message))
    }
    const onAbort = (): void => fail('aborted', 'interrupted')
    signal.addEventListener('abort', onAbort, { once: true })
    const timer = clock.setTimeout(
      () => fail('timeout', `no answer in ${ANSWER_LIMIT / 1000} s`),
      ANSWER_LIMIT,
    )
    const framer = new StreamFramer({
      message: (bytes) => {
        const message = read(bytes)
        if (!message || !answers(message, request)) return
        end()
        resolve(message)
      },
      ping: () => {},
      error: (error) => fail('no SIP', error.message),
    })
    stream.on('data', (chunk: Buffer) => framer.push(chunk))
    stream.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'error', error.message))
    stream.on('close', () => fail('closed', 'the connection was closed'))
    const send = (): void => {
      const { address, port } = local
      stream.write(serializeMessage(withVia(request, via(context, place.transport, address, port))))
    }
    if (place.transport === 'tls') send()
    else stream.once('connect', send)
  })
}

function read(bytes: Buffer): SipMessage | undefined {
  try {
    return parseMessage(bytes)
  } catch {
    return undefined
  }
}
