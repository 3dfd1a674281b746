import {
  DtlsClient,
  DtlsServer,
  type DtlsSocket,
  HashAlgorithm,
  SignatureAlgorithm,
} from 'werift-dtls/lib/dtls/src/index.js'
import { createPlaintext } from 'werift-dtls/lib/dtls/src/record/builder.js'
import { type DtlsCertificate, type Fingerprint, matchesFingerprint } from './certificate.ts'
import type { SrtpKeys } from './srtp.ts'

/** How a handshake is made. */
export interface DtlsHandshakeOptions {
  /** RFC 4145: the active side is the DTLS client. */
  role: 'active' | 'passive'
  certificate: DtlsCertificate
  /** What the peer's SDP announces; its certificate has to be one of them. */
  fingerprints: readonly Fingerprint[]
  /** SRTP protection profiles by preference (RFC 5764 §4.1.2). */
  profiles: readonly (1 | 7)[]
  /** Sends one datagram to the peer. */
  send(packet: Buffer): void
  /** The peer is who its SDP says it is; called once. */
  connected(keys: SrtpKeys): void
  /** It will not become anything; called once, never after `connected`. */
  failed(reason: string): void
}

const CONTENT = { alert: 21, handshake: 22 }
const HELLO = { client: 1, verify: 3 }
/** Certificate, CertificateVerify, ClientKeyExchange. */
const FLIGHT_5 = new Set([11, 15, 16])
/** Of a ClientHello: headers of record and message, version and random stand before the session ID. */
const SESSION_ID = 13 + 12 + 2 + 32
const RECORD_HEADER = 13
const BAD_CERTIFICATE = 42
/** Beyond every flight there is: the library's retransmissions stop at their next look. */
const OVER = 99

/** One DTLS 1.2 handshake for SRTP keys (RFC 5764) over a socket that is shared with STUN and RTP. */
export class DtlsHandshake {
  readonly #options: DtlsHandshakeOptions
  readonly #socket: DtlsSocket
  readonly #transport
  #over = false
  #connected = false
  /** How far the peer has come: hellos exchanged with a cookie, its keys seen. */
  #progress: 'none' | 'verified' | 'keyed' = 'none'

  constructor(options: DtlsHandshakeOptions) {
    this.#options = options
    this.#transport = {
      type: 'udp',
      address: { address: '', family: '', port: 0 },
      closed: false,
      onData: (_packet: Buffer): void => {},
      send: async (packet: Buffer): Promise<void> => {
        if (!this.#over) options.send(packet)
      },
      close: async (): Promise<void> => {},
    }
    const common = {
      transport: this.#transport,
      srtpProfiles: [...options.profiles],
      cert: options.certificate.cert,
      key: options.certificate.key.reveal(),
      signatureHash: { hash: HashAlgorithm.sha256_4, signature: SignatureAlgorithm.ecdsa_3 },
      extendedMasterSecret: true,
    }
    this.#socket =
      options.role === 'active'
        ? new DtlsClient(common)
        : new DtlsServer({ ...common, certificateRequest: true })
    this.#socket.onConnect.subscribe(() => this.#finish())
    this.#socket.onError.subscribe((error) => this.#fail(String(error?.message ?? error)))
  }

  /** The active side's ClientHello; the passive side waits. */
  start(): void {
    if (!(this.#socket instanceof DtlsClient)) return
    this.#socket.connect().catch((error: Error) => this.#fail(error.message))
  }

  /** Takes a datagram with a first octet of 20 to 63. */
  receive(packet: Buffer): void {
    if (this.#over || !isRecords(packet)) return
    const first = packet[RECORD_HEADER]
    const clear = packet.readUInt16BE(3) === 0
    if (packet[0] === CONTENT.alert && clear) {
      // Before the keys an alert is the only way to say no; afterwards anybody could have sent it.
      if (!this.#connected && first === 2) this.#fail(`alert ${packet[RECORD_HEADER + 1]}`)
      return
    }
    if (packet[0] === CONTENT.handshake && clear && this.#isStale(packet)) return
    try {
      this.#transport.onData(packet)
    } catch {
      // A record the library cannot read; the handshake goes on with what it can.
    }
  }

  /** Stops sending. Idempotent. */
  close(): void {
    this.#over = true
    this.#socket.dtls.flight = OVER
  }

  /**
   * Repeated hellos, as a slow network brings them, make the library begin again in the middle or
   * give up: they are dropped once they have been answered.
   */
  #isStale(packet: Buffer): boolean {
    const type = packet[RECORD_HEADER]
    if (type === HELLO.verify) {
      const repeated = this.#progress !== 'none'
      this.#progress = 'verified'
      return repeated
    }
    if (type === HELLO.client) {
      if (this.#progress === 'keyed' || this.#connected) return true
      const cookie = packet[SESSION_ID + 1 + (packet[SESSION_ID] ?? 0)] ?? 0
      if (cookie === 0) return this.#progress === 'verified'
      this.#progress = 'verified'
      return false
    }
    if (this.#options.role === 'passive' && type !== undefined && FLIGHT_5.has(type)) {
      this.#progress = 'keyed'
    }
    return false
  }

  #finish(): void {
    if (this.#over || this.#connected) return
    const { remoteCertificate, srtp } = this.#socket
    const { fingerprints, connected } = this.#options
    if (!remoteCertificate || !matchesFingerprint(remoteCertificate, fingerprints)) {
      this.#refuse()
      this.#fail('the certificate of the peer is not the one its SDP announces')
      return
    }
    const profile = srtp.srtpProfile
    if (profile === undefined) {
      this.#fail('no SRTP protection profile in common')
      return
    }
    this.#connected = true
    const keys = this.#socket.extractSessionKeys(16, profile === 7 ? 12 : 14)
    connected({ profile, ...(keys as Omit<SrtpKeys, 'profile'>) })
  }

  #refuse(): void {
    const { dtls, cipher } = this.#socket
    const fatal = { type: CONTENT.alert, fragment: Buffer.from([2, BAD_CERTIFICATE]) }
    const [record] = createPlaintext(dtls)([fatal], ++dtls.recordSequenceNumber)
    if (record) this.#options.send(cipher.encryptPacket(record).serialize())
  }

  #fail(reason: string): void {
    if (this.#over || this.#connected) return
    this.close()
    this.#options.failed(reason)
  }
}

/** Whether a datagram consists of whole DTLS records (RFC 6347 §4.1). */
function isRecords(packet: Buffer): boolean {
  let at = 0
  while (at < packet.length) {
    if (at + RECORD_HEADER > packet.length) return false
    at += RECORD_HEADER + packet.readUInt16BE(at + 11)
  }
  return at > 0 && at === packet.length
}
