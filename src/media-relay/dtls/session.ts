import { isIPv6 } from 'node:net'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { isRtcp } from '../rtp/index.ts'
import { Connection, type Pair } from './connection.ts'
import { dtlsLibrary } from './library.ts'
import { candidateLines, type LocalEnd, writeCandidate, writeRemote } from './library-sdp.ts'
import { type DtlsPeer, isSamePeer, type Role, type Target } from './peer.ts'
import type { Waker } from './waker.ts'

/** What a session hands up. */
export interface SessionEvents {
  /** Valid until the call returns; in the clear, authentic. */
  onRtp(packet: Buffer, length: number): void
  onRtcp(packet: Buffer, length: number): void
  /** Once: keys are there, and the peer is the one its description names. */
  onReady(): void
  /** Once, not after {@link DtlsSession.close}. */
  onFailed(error: CausewayError): void
}

/** What a session needs. */
export interface SessionOptions {
  /** IP literal and port to bind. */
  listen: string
  port: number
  clock: Clock
  events: SessionEvents
}

/** Milliseconds for ICE and DTLS, from the moment the peer is known to have our description. */
const SETUP_TIME = 20_000
/** The same while nobody has told that it has: it may ring. */
const RINGING_TIME = 180_000
/** Milliseconds after ICE is through at which the DTLS server is made to look at its queue. */
const WAKES = [0, 2, 10, 40, 150]
/** Milliseconds after {@link DtlsSession.recheck} at which checks go out beside those of libjuice. */
const RECHECKS = [0, 150, 400]
/** Milliseconds between checks that keep libjuice, which gives up after 39.5 s, from doing so. */
const KEEP_CHECKING = 15_000
/** Further candidates that checks may cost; the library has room for 30 in all. */
const MAX_CHECKS = 16
/** Candidates remembered of a peer over all its descriptions. */
const MAX_KNOWN = 16
/** Milliseconds the BYE may come after the peer has closed its DTLS session. */
const CLOSE_NOTIFY_GRACE = 3_000

/**
 * One ICE session with its DTLS association and SRTP streams: one socket, one certificate, one
 * peer for life. Neither can be restarted; a changed peer needs a new session.
 */
export class DtlsSession {
  readonly port: number
  readonly local: LocalEnd
  readonly #options: SessionOptions
  readonly #connection: Connection
  readonly #waker: Waker | undefined
  readonly #timers = new Set<Timer>()
  #peer: DtlsPeer | undefined
  #role: Role | undefined
  #deadline: Timer | undefined
  #checks = 0
  #ice = 'new'
  #dtls = 'new'
  #over = false

  /** A session that awaits an answer. @throws {@link PortTaken} */
  static offer(options: SessionOptions): DtlsSession {
    return new DtlsSession(options, undefined, undefined)
  }

  /** A session that answers; its checks begin at once. @throws {@link PortTaken} */
  static answer(options: SessionOptions, peer: DtlsPeer, role: Role): DtlsSession {
    return new DtlsSession(options, peer, role)
  }

  private constructor(options: SessionOptions, peer: DtlsPeer | undefined, role: Role | undefined) {
    const { listen, port } = options
    this.port = port
    this.#options = options
    this.#waker = dtlsLibrary().wakers[isIPv6(listen) ? 6 : 4]
    this.#connection = new Connection(listen, port, {
      onPacket: (packet) => this.#receive(packet),
      onOpen: () => this.#connected(),
      onIce: (state) => this.#iceChanged(state),
      onState: (state) => this.#changed(state),
    })
    try {
      this.local =
        peer && role
          ? this.#connection.answer(this.#describe(peer, role), candidateLines(peer))
          : this.#connection.offer()
    } catch (error) {
      this.close()
      throw error
    }
    if (peer) this.#expect(RINGING_TIME)
  }

  get ready(): boolean {
    return this.#dtls === 'connected' && !this.#over
  }

  get peer(): DtlsPeer | undefined {
    return this.#peer
  }

  get role(): Role | undefined {
    return this.#role
  }

  /** `new`, `checking`, `connected`, `completed` or `failed`. */
  get iceState(): string {
    return this.#ice
  }

  /** `new`, `handshaking`, `connected`, `closed` or `failed`. */
  get dtlsState(): string {
    return this.#dtls
  }

  /** Candidates of the pair in use, or last used; undefined before there is one. */
  get pair(): Pair | undefined {
    return this.#connection.pair
  }

  /**
   * Takes the answer to our offer.
   *
   * @throws CausewayError `MEDIA_ICE_FAILED` when the library refuses it
   */
  accept(peer: DtlsPeer, role: Role): void {
    this.#connection.accept(this.#describe(peer, role), candidateLines(peer))
    this.#expect(SETUP_TIME)
  }

  /** Whether a description is of this session's peer. */
  isOf(peer: DtlsPeer): boolean {
    return this.#peer !== undefined && isSamePeer(this.#peer, peer)
  }

  /** Takes candidates of a later description of the same peer; those known are left alone. */
  extend(peer: DtlsPeer): void {
    if (!this.#peer || this.#over) return
    const known = this.#peer.targets
    const fresh = peer.targets.filter(
      ({ address, port }) => !known.some((one) => one.address === address && one.port === port),
    )
    this.#peer = { ...peer, targets: [...known, ...fresh].slice(0, MAX_KNOWN) }
    for (const target of fresh) this.#check(target)
  }

  /** The peer has our description now: checks again at once, and the time to connect runs. */
  recheck(): void {
    if (this.#over || !this.#peer || this.ready) return
    this.#expect(SETUP_TIME)
    for (const ms of RECHECKS) this.#later(ms, () => this.#checkAll())
  }

  /** Sends a packet, RTP or RTCP, which is copied. Nothing before there are keys. */
  send(packet: Buffer): void {
    if (this.ready) this.#connection.send(packet)
  }

  /** Ends it at once; the socket is closed a little later by a thread of the library. Idempotent. */
  close(): void {
    if (this.#over) return
    this.#over = true
    this.#clearTimers()
    this.#dtls = 'closed'
    this.#connection.close()
  }

  #receive(packet: Buffer): void {
    // Keys are told of and packets are brought on different ways.
    if (this.#over || !(this.ready || this.#connected())) return
    const { events } = this.#options
    if (isRtcp(packet, packet.length)) events.onRtcp(packet, packet.length)
    else events.onRtp(packet, packet.length)
  }

  /** Keeps the peer, and says it in the library's language. */
  #describe(peer: DtlsPeer, role: Role): string {
    this.#peer = peer
    this.#role = role
    this.#ice = 'checking'
    this.#keepChecking()
    return writeRemote(peer, role)
  }

  #connected(): boolean {
    if (this.#over || this.ready || this.#dtls === 'closed') return this.ready
    // The library has compared it already; a handshake without certificate must not pass either.
    const { fingerprint, fingerprintAlgorithm } = this.#connection
    const expected = this.#peer?.fingerprint
    if (fingerprintAlgorithm !== expected?.algorithm || fingerprint !== expected.value) {
      this.#fail('MEDIA_DTLS_FAILED', 'the certificate is not the one of the SDP')
      return false
    }
    this.#dtls = 'connected'
    this.#clearTimers()
    this.#options.events.onReady()
    return this.ready
  }

  #iceChanged(state: string): void {
    if (this.#over || state === 'closed') return
    this.#ice = state
    if (state === 'connected' && this.#dtls === 'new') {
      this.#dtls = 'handshaking'
      if (this.#role === 'passive') this.#wakeServer()
    }
  }

  #changed(state: string): void {
    if (this.#over) return
    if (state === 'failed') this.#explain()
    else if (state === 'disconnected' || state === 'closed') {
      if (this.#dtls === 'closed') return
      this.#dtls = 'closed'
      this.#later(CLOSE_NOTIFY_GRACE, () =>
        this.#fail('MEDIA_DTLS_FAILED', 'the peer has closed its DTLS session'),
      )
    }
  }

  /** Why the library gave up. */
  #explain(): void {
    if (this.#ice === 'failed') {
      const lost = this.#dtls === 'connected'
      this.#fail(
        'MEDIA_ICE_FAILED',
        lost ? 'no answer to consent checks for 30 s (RFC 7675)' : this.#unanswered(),
      )
      return
    }
    const { fingerprint } = this.#connection
    const other = fingerprint !== '' && fingerprint !== this.#peer?.fingerprint.value
    this.#fail(
      'MEDIA_DTLS_FAILED',
      other
        ? `the certificate is not the one of the SDP: its fingerprint is ${fingerprint}`
        : `the handshake was refused (${dtlsLibrary().log.recentCause ?? 'no cause is known'})`,
    )
  }

  #expire(): void {
    if (this.#dtls === 'new') this.#fail('MEDIA_ICE_FAILED', this.#unanswered())
    else {
      const client = this.#role === 'active'
      this.#fail(
        'MEDIA_DTLS_FAILED',
        client ? 'no answer to our ClientHello' : 'no ClientHello came, though its setup is active',
      )
    }
  }

  #unanswered(): string {
    const targets = this.#peer?.targets.map(({ address, port }) => `${address} ${port}`) ?? []
    return targets.length > 0
      ? `no answer to checks of ${targets.join(', ')}`
      : 'the SDP has no candidate of our address family, and no check came in'
  }

  #fail(code: 'MEDIA_ICE_FAILED' | 'MEDIA_DTLS_FAILED', detail: string): void {
    if (this.#over) return
    this.close()
    if (code === 'MEDIA_ICE_FAILED') this.#ice = 'failed'
    else this.#dtls = 'failed'
    this.#options.events.onFailed(new CausewayError(code, { detail }))
  }

  /** The remaining time to connect. */
  #expect(ms: number): void {
    this.#deadline?.clear()
    if (!this.ready) this.#deadline = this.#options.clock.setTimeout(() => this.#expire(), ms)
  }

  #keepChecking(): void {
    this.#later(KEEP_CHECKING, () => {
      this.#checkAll()
      this.#keepChecking()
    })
  }

  #checkAll(): void {
    if (this.#ice !== 'checking' || !this.#peer) return
    const best = this.#peer.targets[0]
    if (best) this.#check(best)
  }

  /** Has the library check a target anew: as a candidate of another foundation and higher priority. */
  #check(target: Target): void {
    if (this.#over || this.#checks >= MAX_CHECKS) return
    const priority = Math.min(2 ** 31 - 1, target.priority + ++this.#checks)
    this.#connection.addCandidate(writeCandidate({ ...target, priority }, `again${this.#checks}`))
  }

  /** Makes the library's DTLS server find a ClientHello that was there before it: see `openWaker`. */
  #wakeServer(): void {
    const waker = this.#waker
    if (!waker) return
    // Datagrams of candidates alone are let in. The least one is not checked beside a pair that
    // works; earlier it would have delayed the checks of the others (50 ms each, RFC 8445 §14.2).
    const { address, port } = waker
    this.#connection.addCandidate(writeCandidate({ address, port, priority: 1 }, 'waker'))
    for (const ms of WAKES) {
      this.#later(ms, () => this.ready || waker.wake(this.#options.listen, this.port))
    }
  }

  #later(ms: number, act: () => unknown): void {
    if (ms === 0) {
      act()
      return
    }
    const timer = this.#options.clock.setTimeout(() => {
      this.#timers.delete(timer)
      if (!this.#over) act()
    }, ms)
    this.#timers.add(timer)
  }

  #clearTimers(): void {
    this.#deadline?.clear()
    for (const timer of this.#timers) timer.clear()
    this.#timers.clear()
  }
}
