import type { Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { RtpPacket } from 'werift-rtp'
import { type Clock, systemClock, type Timer } from '../../shared/clock.ts'
import { type Random, systemRandom } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'
import { type DtlsCertificate, type Fingerprint, makeDtlsCertificate } from './certificate.ts'
import { DtlsHandshake } from './dtls-handshake.ts'
import { type IceFacts, IceLiteAgent, makeIceCredentials, type PeerAddress } from './ice-lite.ts'
import { isRtcp, type RtpHeader } from './rtp-socket.ts'
import { createSrtp, type Srtp } from './srtp.ts'
import { bindPair } from './udp.ts'

/** RFC 4145 roles in a description. */
export type Setup = 'actpass' | 'active' | 'passive'

/** How a transport is opened; everything has a default that suits loopback. */
export interface DtlsMediaOptions {
  /** Address to bind. Default 127.0.0.1. */
  address?: string
  /** A second address, of the other family. Default: loopback's when the first is loopback, else none. */
  second?: string | undefined
  /** Ports tried before any free one. */
  ports?: readonly number[]
  /** Our part when the peer leaves it to us (actpass). Default passive: WhatsApp waits. */
  role?: 'active' | 'passive'
  /** Default: an ECDSA certificate of its own. A key that does not fit it makes an impostor. */
  certificate?: DtlsCertificate
  /** SRTP profiles by preference: 1 AES_CM_128_HMAC_SHA1_80, 7 AEAD_AES_128_GCM. Default both. */
  profiles?: readonly (1 | 7)[]
  /**
   * Milliseconds after {@link DtlsMediaTransport.setRemote} in which DTLS is neither sent nor heard, as
   * by a relay that is not ready yet. Default 0.
   */
  delay?: number
  clock?: Clock
  random?: Random
}

/** The peer as its SDP describes it. */
export interface DtlsRemote {
  ufrag: string
  /** Needed by nobody here: a lite agent sends no checks. */
  password?: Secret
  fingerprints: readonly Fingerprint[]
  setup: Setup
}

/** A host candidate of ours. */
export interface HostCandidate {
  address: string
  port: number
  priority: number
}

/** Where a transport is in its life. */
export type DtlsState = 'new' | 'checking' | 'handshaking' | 'connected' | 'failed' | 'closed'

/** What is told of packets that came, in the clear. */
export interface DtlsMediaEvents {
  rtp?(packet: Buffer): void
  rtcp?(packet: Buffer): void
  /** RTP or RTCP came before there were keys for it. */
  premature?(): void
  /** Every change of state, with the reason of a failure. */
  state?(state: DtlsState, reason: string | undefined): void
}

/** Candidate priorities as in every live capture. */
const PRIORITY = { 4: 2122260223, 6: 2122262783 }
/** DTLS records kept while the peer's SDP is still on its way. */
const MAX_EARLY = 16

/**
 * A DTLS-SRTP peer behind an ICE-lite agent, all on one UDP port (RFC 5764, RFC 8445 §2.5, RFC 7983):
 * WhatsApp's end of the media, usable on its own.
 */
export class DtlsMediaTransport {
  /** What our SDP has to say. */
  readonly local: {
    readonly ufrag: string
    readonly password: Secret
    readonly fingerprint: Fingerprint
    readonly port: number
    readonly candidates: readonly HostCandidate[]
    readonly lite: true
  }
  /** May be set at any time. */
  events: DtlsMediaEvents = {}
  readonly #options: DtlsMediaOptions
  readonly #clock: Clock
  readonly #sockets: Socket[]
  readonly #ice: IceLiteAgent
  readonly #certificate: DtlsCertificate
  readonly #early: Buffer[] = []
  #state: DtlsState = 'new'
  #reason: string | undefined
  #setup: Setup = 'actpass'
  #handshake: DtlsHandshake | undefined
  #srtp: Srtp | undefined
  #profile: 1 | 7 | undefined
  #timer: Timer | undefined
  #remoteAt: number | undefined
  #checkedAt: number | undefined
  #connectedAt: number | undefined
  /** Packets that failed authentication, came from an address without a check, or were nothing known. */
  rejected = 0
  /** RTP and RTCP that came before there were keys for it. */
  premature = 0

  private constructor(options: DtlsMediaOptions, sockets: Socket[]) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#sockets = sockets
    const random = options.random ?? systemRandom
    this.#certificate = options.certificate ?? makeDtlsCertificate({ clock: this.#clock, random })
    const credentials = makeIceCredentials(random)
    this.#ice = new IceLiteAgent(credentials, () => this.#nominated())
    this.local = {
      ...credentials,
      fingerprint: this.#certificate.fingerprint,
      port: sockets[0]!.address().port,
      candidates: sockets.map((socket) => {
        const { address, port } = socket.address()
        return { address, port, priority: PRIORITY[isIPv6(address) ? 6 : 4] }
      }),
      lite: true,
    }
    for (const socket of sockets) {
      socket.on('message', (packet, from) => this.#receive(socket, packet, from))
    }
  }

  /** Binds the sockets. Rejects when the address cannot be bound. */
  static async open(options: DtlsMediaOptions = {}): Promise<DtlsMediaTransport> {
    const { address = '127.0.0.1', ports } = options
    const second = 'second' in options ? options.second : LOOPBACKS[address]
    const sockets = await bindPair(address, second, ports)
    return new DtlsMediaTransport(
      options,
      sockets.filter((socket) => socket !== undefined),
    )
  }

  get state(): DtlsState {
    return this.#state
  }

  /** Why it failed. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** `a=setup` of ours: actpass until the peer is known, then our part. */
  get setup(): Setup {
    return this.#setup
  }

  get ice(): Readonly<IceFacts> {
    return this.#ice.facts
  }

  /** Address the peer was found at by its checks. */
  get peer(): PeerAddress | undefined {
    return this.#ice.peer
  }

  /** Negotiated SRTP profile. */
  get profile(): 1 | 7 | undefined {
    return this.#profile
  }

  /**
   * Milliseconds from the moment the peer was known by its SDP and by a check to the keys; undefined
   * before.
   */
  get handshakeMs(): number | undefined {
    if (this.#connectedAt === undefined || this.#remoteAt === undefined) return undefined
    return Math.max(0, this.#connectedAt - Math.max(this.#remoteAt, this.#checkedAt ?? 0))
  }

  /** Monotonic milliseconds of the moment keys were there. */
  get connectedAt(): number | undefined {
    return this.#connectedAt
  }

  /**
   * Takes the peer's description. What arrived earlier (checks, a ClientHello) is made good.
   * Once; later calls are ignored.
   */
  setRemote(remote: DtlsRemote): void {
    if (this.#state !== 'new') return
    const { role = 'passive', profiles = [1, 7] } = this.#options
    this.#setup =
      remote.setup === 'actpass' ? role : remote.setup === 'active' ? 'passive' : 'active'
    this.#remoteAt = this.#clock.monotonic()
    this.#ice.setRemote(remote.ufrag)
    this.#handshake = new DtlsHandshake({
      role: this.#setup,
      certificate: this.#certificate,
      fingerprints: remote.fingerprints,
      profiles,
      send: (packet) => this.#send(packet),
      connected: (keys) => {
        this.#srtp = createSrtp(keys)
        this.#profile = keys.profile
        this.#connectedAt = this.#clock.monotonic()
        this.#enter('connected')
      },
      failed: (reason) => this.#enter('failed', reason),
    })
    this.#enter('checking')
    if (this.#ice.nominated) this.#nominated()
    for (const packet of this.#early.splice(0)) this.#handshake.receive(packet)
  }

  /** Sends a plain RTP packet; silently nothing before there are keys. */
  sendRtp(packet: Buffer): void {
    const { header, payload } = RtpPacket.deSerialize(packet)
    this.send(header, payload)
  }

  /** Sends RTP; silently nothing before there are keys. */
  send(header: RtpHeader, payload: Buffer): void {
    if (this.#srtp && this.#state === 'connected') this.#send(this.#srtp.protect(header, payload))
  }

  /** Sends RTCP; silently nothing before there are keys. */
  sendRtcp(packet: Buffer): void {
    if (this.#srtp && this.#state === 'connected') this.#send(this.#srtp.protectRtcp(packet))
  }

  /** Idempotent. */
  close(): void {
    if (this.#state === 'closed') return
    this.#timer?.clear()
    this.#handshake?.close()
    this.#enter('closed')
    for (const socket of this.#sockets) socket.close()
  }

  #receive(socket: Socket, packet: Buffer, from: PeerAddress): void {
    if (this.#state === 'closed' || packet.length === 0) return
    const first = packet[0]!
    // RFC 7983 §7.
    if (first <= 3) {
      const answer = this.#ice.receive(packet, from)
      if (this.#ice.peer) this.#checkedAt ??= this.#clock.monotonic()
      if (answer) socket.send(answer, from.port, from.address)
    } else if (!this.#ice.isValid(from)) this.rejected++
    else if (first >= 20 && first <= 63) this.#record(packet)
    else if (first >= 128 && first <= 191) this.#media(packet)
    else this.rejected++
  }

  #record(packet: Buffer): void {
    if (this.#state === 'failed' || this.#wait() > 0) return
    if (this.#handshake) this.#handshake.receive(packet)
    else if (this.#early.length < MAX_EARLY) this.#early.push(Buffer.from(packet))
  }

  #media(packet: Buffer): void {
    if (!this.#srtp) {
      this.premature++
      this.events.premature?.()
      return
    }
    const rtcp = isRtcp(packet)
    const plain = rtcp ? this.#srtp.unprotectRtcp(packet) : this.#srtp.unprotect(packet)
    if (!plain || plain.length < (rtcp ? 8 : 12)) this.rejected++
    else if (rtcp) this.events.rtcp?.(plain)
    else this.events.rtp?.(plain)
  }

  #nominated(): void {
    if (this.#state !== 'checking') return
    this.#enter('handshaking')
    const wait = this.#wait()
    if (wait === 0) this.#handshake?.start()
    else this.#timer = this.#clock.setTimeout(() => this.#handshake?.start(), wait)
  }

  /** Milliseconds for which DTLS is still put off. */
  #wait(): number {
    const { delay = 0 } = this.#options
    if (delay === 0 || this.#remoteAt === undefined) return 0
    return Math.max(0, this.#remoteAt + delay - this.#clock.monotonic())
  }

  #send(packet: Buffer): void {
    const { peer } = this
    if (!peer || this.#state === 'closed') return
    const v6 = isIPv6(peer.address)
    const socket = this.#sockets.find((one) => isIPv6(one.address().address) === v6)
    socket?.send(packet, peer.port, peer.address)
  }

  #enter(state: DtlsState, reason?: string): void {
    if (this.#state === 'closed' || (this.#state === 'failed' && state !== 'closed')) return
    this.#state = state
    this.#reason ??= reason
    this.events.state?.(state, reason)
  }
}

const LOOPBACKS: Record<string, string | undefined> = { '127.0.0.1': '::1', '::1': '127.0.0.1' }
