import type { X509Certificate } from 'node:crypto'
import { isIP, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect, type PeerCertificate, type TLSSocket } from 'node:tls'
import type { Clock } from '../../shared/clock.ts'
import type { Trust } from '../context.ts'
import { readFlight, type ServerFlight } from './flight.ts'

/** A TLS connection that came about, whether its certificate is good or not. */
export interface Handshake {
  kind: 'open'
  socket: TLSSocket
  certificate: X509Certificate
  peer: PeerCertificate
  /** OpenSSL's reason why the chain does not verify, such as `CERT_HAS_EXPIRED`; names not looked at. */
  chainError: string | undefined
  /** `TLSv1.2` */
  protocol: string
  /** Undefined above TLS 1.2, where it is encrypted. */
  flight: ServerFlight | undefined
}

/** None came about. */
export interface NoHandshake {
  kind: 'failed'
  /** `tcp`: nobody listens or nothing arrives; `tls`: somebody does, and the handshake ended. */
  at: 'tcp' | 'tls'
  /** System or OpenSSL code, such as `ECONNREFUSED`; `TIMEOUT`. */
  code: string
  message: string
  /** What the server said in the clear before it ended. */
  flight: ServerFlight
}

export interface TlsOptions {
  /** Opens the connection beneath. */
  dial: () => Socket
  /** Name for SNI; an address sends none. */
  name: string
  trust: Trust
  version?: 'TLSv1.2' | 'TLSv1.3'
  clock: Clock
  signal: AbortSignal
  /** Milliseconds for TCP and TLS; default 5 s. */
  timeout?: number
}

/** Whether a connection came about. */
export function isOpen(outcome: Handshake | NoHandshake): outcome is Handshake {
  return outcome.kind === 'open'
}

/** Makes a TLS connection without ALPN and says what the server showed. Never rejects. */
export function handshake(options: TlsOptions): Promise<Handshake | NoHandshake> {
  const { name, trust, version, clock, signal, timeout = 5000 } = options
  return new Promise((resolve) => {
    const tcp = options.dial()
    const spy = new Spy(tcp)
    const socket = connect({
      socket: spy,
      secureContext: trust(version),
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
      ...(isIP(name) === 0 ? { servername: name } : {}),
    })
    const end = (outcome: Handshake | NoHandshake): void => {
      timer.clear()
      signal.removeEventListener('abort', onAbort)
      if (outcome.kind === 'failed') {
        socket.destroy()
        spy.destroy()
      }
      resolve(outcome)
    }
    const fail = (code: string, message: string): void =>
      end({
        kind: 'failed',
        at: spy.connected ? 'tls' : 'tcp',
        code,
        message,
        flight: readFlight(spy.first()),
      })
    const onAbort = (): void => fail('ABORTED', 'interrupted')
    const timer = clock.setTimeout(() => fail('TIMEOUT', `nothing after ${timeout} ms`), timeout)
    signal.addEventListener('abort', onAbort, { once: true })
    const onError = (error: NodeJS.ErrnoException): void =>
      fail(error.code ?? 'ERROR', error.message)
    socket.on('error', onError)
    spy.on('error', onError)
    socket.once('close', () => fail('CLOSED', 'the connection was closed in the handshake'))
    socket.once('secureConnect', () => {
      const certificate = socket.getPeerX509Certificate()
      if (!certificate) return fail('NO_CERTIFICATE', 'the server has no certificate')
      const protocol = socket.getProtocol() ?? 'unknown'
      end({
        kind: 'open',
        socket,
        certificate,
        peer: certificate.toLegacyObject(),
        chainError: socket.authorized ? undefined : String(socket.authorizationError),
        protocol,
        flight: protocol === 'TLSv1.2' ? readFlight(spy.first()) : undefined,
      })
    })
  })
}

/** The most of a server's first flight that is kept. */
const KEPT = 64 * 1024

/** Passes a TCP connection through and remembers the first bytes received. */
class Spy extends Duplex {
  connected = false
  readonly #tcp: Socket
  readonly #received: Buffer[] = []
  #size = 0

  constructor(tcp: Socket) {
    super()
    this.#tcp = tcp
    tcp.once('connect', () => {
      this.connected = true
    })
    tcp.on('data', (chunk) => {
      if (this.#size < KEPT) this.#received.push(chunk)
      this.#size += chunk.length
      if (!this.push(chunk)) tcp.pause()
    })
    tcp.once('end', () => this.push(null))
    tcp.once('error', (error) => this.destroy(error))
    tcp.once('close', () => this.destroy())
  }

  first(): Buffer {
    return Buffer.concat(this.#received)
  }

  override _read(): void {
    this.#tcp.resume()
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#tcp.write(chunk, done)
  }

  override _final(done: () => void): void {
    this.#tcp.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#tcp.destroy()
    done(error)
  }
}
