import type { DataChannel, PeerConnection, Track } from 'node-datachannel'
import { CausewayError } from '../../shared/errors/index.ts'
import { dtlsLibrary } from './library.ts'
import { type LocalEnd, MID, PAYLOAD_TYPE, readLocal } from './library-sdp.ts'

/** What a connection tells; nothing after {@link Connection.close}. */
export interface ConnectionEvents {
  /** RTP or RTCP, authentic and in the clear. May come before `onOpen`. */
  onPacket(packet: Buffer): void
  /** The handshake is done and keys are there. */
  onOpen(): void
  /** `checking`, `connected`, `completed`, `failed`, `closed`. */
  onIce(state: string): void
  /** `connecting`, `connected`, `disconnected`, `failed`, `closed`. */
  onState(state: string): void
}

/** Two candidates, as in SDP. */
export interface Pair {
  local: string
  remote: string
}

/** The port cannot be bound. */
export class PortTaken extends Error {}

/**
 * Connections whose objects the library has not reported as closed. One that the collector takes
 * before stays in the library's lists, and its end reads freed memory.
 */
const held = new Set<Connection>()

/**
 * The library's objects of one session, and the rules for living with them: every input has been
 * checked before (see `peer.ts`), what can throw beyond JavaScript is not called, and objects are
 * kept until they are closed.
 */
export class Connection {
  readonly #connection: PeerConnection
  readonly #track: Track
  readonly #events: ConnectionEvents
  #pair: Pair | undefined
  #channel: DataChannel | undefined
  readonly #bound: { listen: string; port: number }
  #hear: (() => void) | undefined
  /** Objects that are not reported as closed. */
  #open = 2
  #over = false

  /** Nothing is bound yet. */
  constructor(listen: string, port: number, events: ConnectionEvents) {
    const { library } = dtlsLibrary()
    this.#events = events
    this.#bound = { listen, port }
    this.#connection = new library.PeerConnection('', {
      iceServers: [],
      bindAddress: listen,
      portRangeBegin: port,
      portRangeEnd: port,
    })
    const media = new library.Audio(MID, 'SendRecv')
    media.addOpusCodec(PAYLOAD_TYPE)
    this.#track = this.#connection.addTrack(media)
    held.add(this)
    this.#track.onClosed(() => this.#closed())
    this.#track.onOpen(() => this.#over || events.onOpen())
    this.#track.onMessage((packet) => this.#over || events.onPacket(packet))
    this.#connection.onIceStateChange((state) => this.#over || events.onIce(state))
    this.#connection.onStateChange((state) => this.#stateChanged(state))
  }

  /** Binds the port for an offer of ours; hears nothing before the answer. @throws {@link PortTaken} */
  offer(): LocalEnd {
    // Makes the library offer. Its setLocalDescription ends the process when the port is taken;
    // what this one throws is an exception. The channel itself is never negotiated.
    const { quiet } = dtlsLibrary()
    const opened = quiet?.nextFile() ?? -1
    this.#channel = contained(() => this.#connection.createDataChannel(''))
    this.#open++
    this.#channel.onClosed(() => this.#closed())
    this.#hear = quiet?.silence(this.#bound.listen, this.#bound.port, opened)
    return this.#local()
  }

  /** Takes an offer, answers it and binds the port. @throws {@link PortTaken} */
  answer(sdp: string, candidates: readonly string[]): LocalEnd {
    const lines = candidates.map((line) => `a=${line}\r\n`).join('')
    contained(() => this.#connection.setRemoteDescription(sdp + lines, 'offer'))
    return this.#local()
  }

  /** Takes the answer to our offer. @throws CausewayError `MEDIA_ICE_FAILED` */
  accept(sdp: string, candidates: readonly string[]): void {
    contained(() => this.#connection.setRemoteDescription(sdp, 'answer'))
    this.#hear?.()
    // Now that replies are heard: a check without one would be repeated half a second later.
    for (const line of candidates) this.addCandidate(line)
  }

  /** Has a candidate checked, unless everything is over. */
  addCandidate(line: string): void {
    try {
      this.#connection.addRemoteCandidate(line, MID)
    } catch {
      // Ended meanwhile.
    }
  }

  /** Sends a packet, which is copied; nothing when the peer has closed in this moment. */
  send(packet: Buffer): void {
    try {
      this.#track.sendMessageBinary(packet)
    } catch {
      // The state that follows tells.
    }
  }

  /** Fingerprint of the certificate the peer has shown; '' before. */
  get fingerprint(): string {
    return this.#connection.remoteFingerprint().value ?? ''
  }

  /** Hash function of {@link Connection.fingerprint}. */
  get fingerprintAlgorithm(): string {
    return this.#connection.remoteFingerprint().algorithm
  }

  /** Candidates of the pair in use, or last used; undefined before there is one. */
  get pair(): Pair | undefined {
    if (!this.#over) this.#pair = this.#selectedPair() ?? this.#pair
    return this.#pair
  }

  /** Silent from now on; a thread of the library closes the socket a little later. Idempotent. */
  close(): void {
    if (this.#over) return
    this.#pair = this.pair
    this.#over = true
    this.#channel?.close()
    this.#track.close()
    this.#connection.close()
  }

  #selectedPair(): Pair | undefined {
    try {
      const pair = this.#connection.getSelectedCandidatePair()
      return pair ? { local: pair.local.candidate, remote: pair.remote.candidate } : undefined
    } catch {
      return undefined
    }
  }

  #stateChanged(state: string): void {
    if (!this.#over) this.#events.onState(state)
    if (state === 'closed') this.#closed()
  }

  #closed(): void {
    if (--this.#open === 0) held.delete(this)
  }

  #local(): LocalEnd {
    const local = readLocal(this.#connection.localDescription()?.sdp ?? '')
    if (!local) throw new CausewayError('MEDIA_ICE_FAILED', { detail: 'no local candidate' })
    return local
  }
}

/** Connections that the library has not closed wholly; for tests. */
export function openConnections(): number {
  return held.size
}

/** Tells a port that is taken from everything else the library may dislike. */
function contained<T>(act: () => T): T {
  try {
    return act()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    if (message.includes('gather')) throw new PortTaken(message)
    throw new CausewayError('MEDIA_ICE_FAILED', { detail: message, cause: error })
  }
}
