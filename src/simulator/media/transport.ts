import { RtpPacket } from 'werift-rtp'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'
import type { DtlsCertificate } from './certificate.ts'
import { DtlsMediaTransport, type DtlsState, type Setup } from './dtls.ts'
import { type RtpHeader, RtpSocket } from './rtp-socket.ts'
import { type RemoteAudio, SdpError, SUITE } from './sdp.ts'
import type { DtlsLines, LocalAudio } from './sdp-write.ts'
import { createSrtp, isKey, type Srtp, sdesKeys } from './srtp.ts'

/** What a transport hands up; packets are authentic and in the clear. */
export interface TransportEvents {
  rtp(header: RtpHeader, payload: Buffer): void
  rtcp(packet: Buffer): void
  /** A packet came before there were keys or an address for it. */
  early(): void
  /** Packets can be sent. */
  ready(): void
  failed(reason: string): void
}

/** How a transport is opened. */
export interface TransportOptions {
  clock: Clock
  random: Random
  profile: LocalAudio['profile']
  /** Address to bind. */
  address: string
  /** Ports to try before any free one. */
  ports?: readonly number[] | undefined
  /** Our DTLS part where the peer leaves it to us. */
  dtlsRole?: 'active' | 'passive' | undefined
  /** Milliseconds in which DTLS goes unanswered at first. */
  dtlsDelay?: number | undefined
  certificate?: DtlsCertificate | undefined
}

/** A call's DTLS as it went. */
export interface DtlsReport {
  state: DtlsState
  /** Why it failed. */
  reason: string | undefined
  /** Our part. */
  role: Setup
  /** Milliseconds from the peer's SDP and first check to the keys. */
  handshakeMs: number | undefined
  /** `AES_CM_128_HMAC_SHA1_80` or `AEAD_AES_128_GCM`. */
  profile: string | undefined
  /** Address the peer's checks came from. */
  peer: string | undefined
  /** Connectivity checks answered, ignored, and refused for their role. */
  checks: {
    answered: number
    unauthenticated: number
    roleConflicts: number
    renominations: number
  }
}

/** How RTP of one call travels: plain, by SDES, or by DTLS with ICE. */
export interface MediaTransport {
  readonly port: number
  /** Packets that failed authentication or are no RTP. */
  readonly rejected: number
  /** Lines of ours for the SDP. */
  lines(): { key?: Secret; dtls?: DtlsLines }
  /** Takes the other side's description, again when it changes. Throws {@link SdpError}. */
  connect(remote: RemoteAudio, remoteIs: 'offer' | 'answer'): void
  /** Goes on from another port. Rejects with DTLS, whose call has one for life. */
  move(): Promise<void>
  send(header: RtpHeader, payload: Buffer): void
  sendRtcp(packet: Buffer): void
  close(): void
  /** Monotonic milliseconds since when packets can be sent. */
  readonly readyAt: number | undefined
  readonly dtls: DtlsReport | undefined
}

/** Opens the transport a profile asks for. Rejects when the address cannot be bound. */
export function openTransport(
  options: TransportOptions,
  events: TransportEvents,
): Promise<MediaTransport> {
  return options.profile === 'UDP/TLS/RTP/SAVPF'
    ? DtlsTransport.open(options, events)
    : SocketTransport.open(options, events)
}

/** Plain RTP and SDES. */
class SocketTransport implements MediaTransport {
  readonly dtls = undefined
  readonly #socket: RtpSocket
  readonly #events: TransportEvents
  readonly #clock: Clock
  readonly #key: Secret | undefined
  #remoteKey: Secret | undefined
  #srtp: Srtp | undefined
  #readyAt: number | undefined

  private constructor(options: TransportOptions, socket: RtpSocket, events: TransportEvents) {
    this.#socket = socket
    this.#events = events
    this.#clock = options.clock
    // Master key and salt of AES_CM_128_HMAC_SHA1_80.
    this.#key =
      options.profile === 'RTP/SAVP'
        ? new Secret(options.random.bytes(30).toString('base64'))
        : undefined
  }

  static async open(options: TransportOptions, events: TransportEvents): Promise<MediaTransport> {
    const socket = await RtpSocket.bind(options, events)
    return new SocketTransport(options, socket, events)
  }

  get port(): number {
    return this.#socket.port
  }

  get rejected(): number {
    return this.#socket.rejected
  }

  get readyAt(): number | undefined {
    return this.#readyAt
  }

  lines(): { key?: Secret } {
    return this.#key ? { key: this.#key } : {}
  }

  connect(remote: RemoteAudio): void {
    if (this.#key) {
      const crypto = remote.cryptos.find((line) => line.suite === SUITE && isKey(line.key))
      if (!crypto) throw new SdpError(`no usable ${SUITE} key`)
      // The same key goes on with its rollover counter.
      if (!this.#remoteKey?.equals(crypto.key)) {
        this.#remoteKey = crypto.key
        this.#srtp = createSrtp(sdesKeys(this.#key, crypto.key))
      }
    }
    this.#socket.start({ address: remote.address, port: remote.port }, this.#srtp)
    if (this.#readyAt !== undefined) return
    this.#readyAt = this.#clock.monotonic()
    this.#events.ready()
  }

  move(): Promise<void> {
    return this.#socket.move()
  }

  send(header: RtpHeader, payload: Buffer): void {
    this.#socket.send(header, payload)
  }

  sendRtcp(packet: Buffer): void {
    this.#socket.sendRtcp(packet)
  }

  close(): void {
    this.#socket.close()
  }
}

const PROFILES = { 1: 'AES_CM_128_HMAC_SHA1_80', 7: 'AEAD_AES_128_GCM' }

/** DTLS-SRTP behind an ICE-lite agent. */
class DtlsTransport implements MediaTransport {
  readonly #transport: DtlsMediaTransport
  readonly #role: 'active' | 'passive'

  private constructor(
    transport: DtlsMediaTransport,
    options: TransportOptions,
    events: TransportEvents,
  ) {
    this.#transport = transport
    this.#role = options.dtlsRole ?? 'passive'
    transport.events = {
      rtp: (packet) => {
        const { header, payload } = RtpPacket.deSerialize(packet)
        events.rtp(header, payload)
      },
      rtcp: (packet) => events.rtcp(packet),
      premature: () => events.early(),
      state: (state, reason) => {
        if (state === 'connected') events.ready()
        if (state === 'failed') events.failed(reason ?? '')
      },
    }
  }

  static async open(options: TransportOptions, events: TransportEvents): Promise<MediaTransport> {
    const { clock, random, address, ports, dtlsRole, dtlsDelay, certificate } = options
    const transport = await DtlsMediaTransport.open({
      clock,
      random,
      address,
      ...(ports ? { ports } : {}),
      ...(dtlsRole ? { role: dtlsRole } : {}),
      ...(dtlsDelay ? { delay: dtlsDelay } : {}),
      ...(certificate ? { certificate } : {}),
    })
    return new DtlsTransport(transport, options, events)
  }

  get port(): number {
    return this.#transport.local.port
  }

  get rejected(): number {
    return this.#transport.rejected
  }

  get readyAt(): number | undefined {
    return this.#transport.connectedAt
  }

  lines(): { dtls: DtlsLines } {
    const { ufrag, password, fingerprint, candidates } = this.#transport.local
    return {
      dtls: {
        ufrag,
        password,
        fingerprint: fingerprint.value,
        setup: this.#transport.setup,
        second: candidates[1]?.address,
      },
    }
  }

  connect(remote: RemoteAudio, remoteIs: 'offer' | 'answer'): void {
    const { ice, fingerprints, setup } = remote
    if (!ice || fingerprints.length === 0) throw new SdpError('no ICE credentials or fingerprint')
    if (setup !== 'active' && setup !== 'passive' && setup !== 'actpass') {
      throw new SdpError(`a=setup:${setup ?? 'none'} leads to no handshake`)
    }
    // Offering, WhatsApp leaves the first step to the business and takes none of its own.
    const waits = remoteIs === 'answer' && setup === 'passive' && this.#role === 'passive'
    this.#transport.setRemote({ ...ice, fingerprints, setup: waits ? 'actpass' : setup })
  }

  move(): Promise<void> {
    return Promise.reject(new TypeError('a DTLS call keeps its port'))
  }

  send(header: RtpHeader, payload: Buffer): void {
    this.#transport.send(header, payload)
  }

  sendRtcp(packet: Buffer): void {
    this.#transport.sendRtcp(packet)
  }

  close(): void {
    this.#transport.close()
  }

  get dtls(): DtlsReport {
    const { state, reason, setup, handshakeMs, profile, peer, ice } = this.#transport
    const { checks, ...refused } = ice
    return {
      state,
      reason,
      role: setup,
      handshakeMs: handshakeMs === undefined ? undefined : Math.round(handshakeMs),
      profile: profile && PROFILES[profile],
      peer: peer && `${peer.address}:${peer.port}`,
      checks: { answered: checks, ...refused },
    }
  }
}
