import { isIP } from 'node:net'
import {
  connect,
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
} from 'node:tls'
import {
  parseMessage,
  type SipMessage,
  SipParseError,
  StreamFramer,
  serializeMessage,
} from '../../embedded-drachtio/message/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Secret } from '../../shared/secret.ts'

/** What a connection tells. */
export interface ConnectionEvents {
  message(message: SipMessage, connection: SipConnection): void
  /** Bytes that are no SIP; the connection is closed after it. */
  malformed(error: SipParseError, connection: SipConnection): void
  closed(connection: SipConnection): void
}

/** SIP messages over one TLS connection. */
export class SipConnection {
  readonly #socket: TLSSocket
  readonly #events: ConnectionEvents
  #closed = false

  constructor(socket: TLSSocket, events: ConnectionEvents) {
    this.#socket = socket
    this.#events = events
    const framer = new StreamFramer({
      message: (bytes) => this.#parse(bytes),
      ping: () => socket.write('\r\n'),
      error: (error) => {
        events.malformed(error, this)
        this.close()
      },
    })
    socket.setNoDelay(true)
    socket.on('data', (chunk) => framer.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      events.closed(this)
    })
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Sends; false when the connection is gone. */
  send(message: SipMessage): boolean {
    if (this.#closed || !this.#socket.writable) return false
    this.#socket.write(serializeMessage(message))
    return true
  }

  /** Closes once what was sent is on its way. */
  close(): void {
    this.#socket.destroySoon()
  }

  #parse(bytes: Buffer): void {
    let message: SipMessage
    try {
      message = parseMessage(bytes)
    } catch (error) {
      if (error instanceof SipParseError) this.#events.malformed(error, this)
      return
    }
    this.#events.message(message, this)
  }
}

/** A certificate with its key for one of our TLS sides. */
export interface TlsIdentity {
  /** PEM, chain included. */
  cert: string
  /** PEM. */
  key: Secret
}

/**
 * A TLS server in WhatsApp's manner: whatever ALPN a client offers is refused with alert 120
 * (`no_application_protocol`, RFC 7301 §3.2), and no client certificate is asked for.
 */
export function listenTls(options: {
  identity: TlsIdentity
  host: string
  port: number
  connected: (socket: TLSSocket) => void
}): Promise<Server> {
  const { identity, host, port, connected } = options
  const server = createServer(
    {
      cert: identity.cert,
      key: identity.key.reveal(),
      minVersion: 'TLSv1.2',
      // Called only when the client offers ALPN; undefined is the fatal alert.
      ALPNCallback: () => undefined,
    },
    connected,
  )
  server.on('tlsClientError', () => {})
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve(server)
    })
  })
}

/** Trust anchors and, optionally, the certificate presented to servers that ask for one. */
export function clientContext(ca: readonly string[], identity?: TlsIdentity): SecureContext {
  return createSecureContext({
    ca: [...ca],
    minVersion: 'TLSv1.2',
    ...(identity ? { cert: identity.cert, key: identity.key.reveal() } : {}),
  })
}

/** Where to connect and whom to expect there. */
export interface DialTarget {
  host: string
  port: number
  /** Name the certificate must cover and SNI carries. */
  hostname: string
}

/** Milliseconds for TCP and TLS together. */
const DIAL_TIMEOUT = 10_000

/**
 * Connects and verifies chain and host name, offering no ALPN. Rejects with a reason fit for the
 * report of a call that was dropped before its INVITE.
 */
export function dialTls(
  target: DialTarget,
  options: { context: SecureContext; clock: Clock },
): Promise<TLSSocket> {
  const { context, clock } = options
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: target.host,
      port: target.port,
      secureContext: context,
      rejectUnauthorized: true,
      ...(isIP(target.hostname) ? {} : { servername: target.hostname }),
    })
    const timer = clock.setTimeout(() => socket.destroy(new Error('timed out')), DIAL_TIMEOUT)
    const fail = (error: Error): void => {
      timer.clear()
      reject(new Error(describe(error, target), { cause: error }))
    }
    socket.once('error', fail)
    socket.once('secureConnect', () => {
      timer.clear()
      socket.off('error', fail)
      resolve(socket)
    })
  })
}

function describe(error: Error, target: DialTarget): string {
  const { code } = error as NodeJS.ErrnoException
  const place = `${target.hostname} at ${target.host}:${target.port}`
  switch (code) {
    case 'ECONNREFUSED':
      return `${place} refuses connections`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${place} does not resolve`
    case 'ERR_TLS_CERT_ALTNAME_INVALID':
      return `the certificate of ${place} does not cover ${target.hostname}`
    case 'CERT_HAS_EXPIRED':
      return `the certificate of ${place} has expired`
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'SELF_SIGNED_CERT_IN_CHAIN':
      return `the certificate of ${place} is self-signed`
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return `the certificate of ${place} comes from an unknown authority or an incomplete chain`
    default:
      return `no TLS to ${place}: ${error.message}`
  }
}
