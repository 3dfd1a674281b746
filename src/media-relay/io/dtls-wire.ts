import { isIPv6 } from 'node:net'
import type { LegShape, LegTransport } from '../../media/anchor/types.ts'
import type { AudioDescription } from '../../media/sdp/types.ts'
import type { Clock } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { PortTaken } from '../dtls/connection.ts'
import { advertise } from '../dtls/library-sdp.ts'
import { type DtlsPeer, type Role, readPeer } from '../dtls/peer.ts'
import { isReleased } from '../dtls/released.ts'
import { DtlsSession, type SessionEvents } from '../dtls/session.ts'
import { probe } from '../ports/sockets.ts'
import { hostPort } from './addresses.ts'
import type { Wire, WireEvents, WireFacts } from './types.ts'

/** What a wire with DTLS-SRTP and ICE needs. `loadDtls` has been called in this thread. */
export interface DtlsWireOptions {
  /** IP literal to bind. */
  listen: string
  /** Advertised instead, with the priority kept. */
  externalAddress: string | undefined
  /** The next port to try; undefined when none is left. */
  takePort(): number | undefined
  /** A port is not used any more. */
  freePort(port: number): void
  /** Our SSRC and CNAME, for the description. */
  ssrc: number
  cname: string
  clock: Clock
  events: WireEvents
}

/** A wire with DTLS-SRTP and ICE. */
export interface DtlsWire extends Wire {
  /** The peer has our answer now: it can be reached from this moment at the latest. */
  delivered(): void
}

/**
 * A wire of DTLS-SRTP (RFC 5764) with ICE (RFC 8445), full agent, on one port with RTCP. Packets of
 * any payload type and SSRC pass unchanged. Rejects with `MEDIA_ICE_INVALID`,
 * `MEDIA_DTLS_WITHOUT_ICE`, `MEDIA_ICE_FAILED`, `MEDIA_DTLS_UNAVAILABLE`, `MEDIA_LISTEN` beside what
 * {@link Wire} names.
 */
export function createDtlsWire(options: DtlsWireOptions): DtlsWire {
  return new LibraryWire(options)
}

/** Packets of each length are copied here on their way down, so that none needs a view of its own. */
const exact: (Buffer | undefined)[] = []

class LibraryWire implements DtlsWire {
  readonly #options: DtlsWireOptions
  readonly #family: 4 | 6
  /** The one in use, or on its way to be. */
  #session: DtlsSession | undefined
  /** Beside it, for a peer that has changed; takes over when it is ready. */
  #next: DtlsSession | undefined
  /** Whether the peer reaches us by the external address. */
  #external = true
  readonly #closings = new Set<Promise<void>>()
  #closed = false

  constructor(options: DtlsWireOptions) {
    this.#options = options
    this.#family = isIPv6(options.listen) ? 6 : 4
  }

  get ready(): boolean {
    return this.#session?.ready ?? false
  }

  async offer(shape: LegShape): Promise<LegTransport> {
    this.#external = shape.external
    // A later offer of ours names the same session: no restart.
    const session =
      this.#next ??
      this.#session ??
      (await this.#open((port, events) => DtlsSession.offer(this.#sessionOptions(port, events))))
    this.#session ??= session
    return this.#transport(session, 'actpass')
  }

  async accept(answer: AudioDescription): Promise<void> {
    const session = this.#next ?? this.#session
    if (!session) throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'an answer without offer' })
    const peer = readPeer(answer, this.#family)
    if (!session.peer) session.accept(peer, peer.setup === 'active' ? 'passive' : 'active')
    else if (session.isOf(peer)) session.extend(peer)
    else {
      throw new CausewayError('MEDIA_ICE_INVALID', {
        detail: 'the answer restarts ICE or DTLS, which the offer did not (RFC 8445 §9)',
      })
    }
  }

  async answer(offer: AudioDescription, shape: LegShape): Promise<LegTransport> {
    this.#external = shape.external
    const peer = readPeer(offer, this.#family)
    for (const session of [this.#next, this.#session]) {
      if (!session?.isOf(peer)) continue
      session.extend(peer)
      return this.#transport(session, session.role!)
    }
    const role = answeringRole(peer, shape)
    const session = await this.#open((port, events) =>
      DtlsSession.answer(this.#sessionOptions(port, events), peer, role),
    )
    if (!this.#session) this.#session = session
    else {
      const superseded = this.#next
      this.#next = session
      if (superseded) this.#retire(superseded)
    }
    return this.#transport(session, role)
  }

  delivered(): void {
    ;(this.#next ?? this.#session)?.recheck()
  }

  sendRtp(slot: Buffer, length: number): void {
    const session = this.#session
    if (session?.ready) session.send(exactly(slot, length))
  }

  sendRtcp(slot: Buffer, length: number): void {
    const session = this.#session
    // Without mux the peer waits for RTCP on a port of its own, which this wire has not (RFC 5761).
    if (session?.ready && session.peer?.rtcpMux) session.send(exactly(slot, length))
  }

  facts(): WireFacts {
    const session = this.#session
    const pair = session?.pair
    const target = session?.peer?.targets[0]
    return {
      suite: undefined,
      local: session && hostPort(this.#externalAddress ?? this.#options.listen, session.port),
      remote: pair ? endOf(pair.remote) : target && hostPort(target.address, target.port),
      ice: session && {
        local: pair ? endOf(pair.local) : '',
        remote: pair ? endOf(pair.remote) : '',
        state: session.iceState,
      },
      dtls: session && { role: session.role ?? '', cipher: undefined, state: session.dtlsState },
      auth: 0,
      replayed: 0,
      wrongSource: 0,
      malformed: 0,
      strange: undefined,
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const session of [this.#session, this.#next]) if (session) this.#retire(session)
    await Promise.all(this.#closings)
  }

  get #externalAddress(): string | undefined {
    return this.#external ? this.#options.externalAddress : undefined
  }

  #sessionOptions(port: number, events: SessionEvents) {
    const { listen, clock } = this.#options
    return { listen, port, clock, events }
  }

  /** Makes a session on the first port that can be bound. */
  async #open(make: (port: number, events: SessionEvents) => DtlsSession): Promise<DtlsSession> {
    const { listen, takePort, freePort } = this.#options
    for (;;) {
      if (this.#closed) throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'the leg is closed' })
      const port = takePort()
      if (port === undefined) throw new CausewayError('MEDIA_PORTS_EXHAUSTED')
      let session: DtlsSession | undefined
      try {
        session = make(
          port,
          this.#eventsOf(() => session),
        )
        return session
      } catch (error) {
        freePort(port)
        if (!(error instanceof PortTaken)) throw error
        // Another program has the port, unless it is the address that is wrong.
        await probe(listen)
      }
    }
  }

  #eventsOf(session: () => DtlsSession | undefined): SessionEvents {
    const { events } = this.#options
    return {
      onRtp: events.onRtp.bind(events),
      onRtcp: events.onRtcp.bind(events),
      onReady: () => {
        const ready = session()
        if (ready && ready === this.#next) {
          const former = this.#session
          this.#session = ready
          this.#next = undefined
          if (former) this.#retire(former)
        }
        events.onReady()
      },
      onFailed: (error) => {
        // One that is being replaced may end; the peer has left it.
        if (this.#next && session() !== this.#next) return
        events.onFailed(error)
      },
    }
  }

  /** Closes a session and gives its port back once the library has left it. */
  #retire(session: DtlsSession): void {
    const { listen, freePort } = this.#options
    if (session === this.#session) this.#session = undefined
    if (session === this.#next) this.#next = undefined
    session.close()
    const closing = isReleased(listen, session.port).then(() => {
      freePort(session.port)
      this.#closings.delete(closing)
    })
    this.#closings.add(closing)
  }

  #transport(session: DtlsSession, setup: 'actpass' | Role): LegTransport {
    const { listen, ssrc, cname } = this.#options
    const externalAddress = this.#externalAddress
    const { ufrag, password, fingerprint, candidates } = session.local
    const advertised = externalAddress ? advertise(candidates, externalAddress) : candidates
    const address = externalAddress ?? advertised[0]?.address ?? listen
    return {
      address,
      family: isIPv6(address) ? 6 : 4,
      port: session.port,
      rtcpPort: undefined,
      rtcpMux: true,
      crypto: [],
      dtls: { fingerprints: [fingerprint], setup },
      ice: { ufrag, password, lite: false, candidates: advertised },
      ssrc,
      cname,
    }
  }
}

/** RFC 5763 §5: active is better where there is a choice, and the only one towards WhatsApp. */
function answeringRole(peer: DtlsPeer, shape: LegShape): Role {
  if (peer.setup === 'active') return 'passive'
  return peer.setup === 'actpass' && shape.setup === 'passive' ? 'passive' : 'active'
}

function exactly(slot: Buffer, length: number): Buffer {
  let buffer = exact[length]
  if (!buffer) {
    buffer = Buffer.allocUnsafeSlow(length)
    exact[length] = buffer
  }
  slot.copy(buffer, 0, 0, length)
  return buffer
}

/** `address:port` of a candidate line. */
function endOf(candidate: string): string {
  const [, , , , address, port] = candidate.split(' ')
  return hostPort(address ?? '', Number(port))
}
