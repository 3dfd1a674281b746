import type { CallMediaReport } from '../../src/media/anchor/report.ts'
import {
  type Anchor,
  type AnchorAbilities,
  type AnchorCall,
  type AnchorStatus,
  type LegId,
  type LegMedia,
  type LegShape,
  type LegTransport,
  type MediaEvent,
  type Playback,
  SUITES,
} from '../../src/media/anchor/types.ts'
import type { AudioDescription } from '../../src/media/sdp/types.ts'
import { Secret } from '../../src/shared/secret.ts'

/** One thing an anchor was asked. */
export interface Asked {
  what: 'offer' | 'accept' | 'answer' | 'promote' | 'drop' | 'start' | 'play' | 'release'
  leg: LegId | undefined
  shape?: LegShape
  peer?: AudioDescription | undefined
  remote?: AudioDescription
  media?: LegMedia
  playback?: Playback | undefined
}

/** Our certificate's fingerprint in every DTLS description. */
export const FINGERPRINT = 'AB:'.repeat(31).concat('CD')

/**
 * An anchor without packets: each leg gets a port, keys and an SSRC by counting, and everything
 * asked is written down. It refuses what breaks its contract, and holds or fails on demand.
 */
export class FakeAnchor implements Anchor {
  readonly abilities: AnchorAbilities
  readonly calls: FakeAnchorCall[] = []
  closed = false

  constructor(abilities: Partial<AnchorAbilities> = {}) {
    this.abilities = {
      transcodes: ['PCMA', 'PCMU'],
      renumbers: true,
      dtlsWithoutIce: false,
      suites: SUITES,
      ...abilities,
    }
  }

  status(): AnchorStatus {
    const calls = this.calls.filter((call) => !call.released).length
    return {
      available: !this.closed,
      detail: 'pretended',
      calls,
      instances: [],
      ports: undefined,
      transcoding: undefined,
      totals: {},
    }
  }

  allocate(id: string, listener: (event: MediaEvent) => void): AnchorCall {
    const call = new FakeAnchorCall(id, listener)
    this.calls.push(call)
    return call
  }

  async close(): Promise<void> {
    this.closed = true
  }
}

export class FakeAnchorCall implements AnchorCall {
  readonly id: string
  readonly listener: (event: MediaEvent) => void
  readonly asked: Asked[] = []
  /** Legs that hold a port. */
  readonly legs = new Map<LegId, { port: number; offered: boolean }>()
  released = false
  /** Whether requests that a release overtakes succeed all the same. */
  forgiving = false
  /** Rejects the next request of that name. */
  failNext: { what: Asked['what']; error: Error } | undefined
  #gate: Promise<void> | undefined
  #made = 0

  constructor(id: string, listener: (event: MediaEvent) => void) {
    this.id = id
    this.listener = listener
  }

  /** Holds every request from now on until the function given back is called. */
  hold(): () => void {
    let open = (): void => {}
    this.#gate = new Promise((resolve) => {
      open = () => {
        this.#gate = undefined
        resolve()
      }
    })
    return open
  }

  /** What was asked, in short: `offer pbx`. */
  get story(): string[] {
    return this.asked.map(({ what, leg }) => (leg ? `${what} ${leg}` : what))
  }

  /** The last request of a name. */
  last(what: Asked['what']): Asked {
    const found = this.asked.findLast((one) => one.what === what)
    if (!found) throw new Error(`never asked to ${what}`)
    return found
  }

  async offer(leg: LegId, shape: LegShape, peer: AudioDescription | undefined) {
    await this.#take({ what: 'offer', leg, shape, peer })
    this.#leg(leg).offered = true
    return this.#transport(leg, shape)
  }

  async accept(leg: LegId, remote: AudioDescription, media: LegMedia): Promise<void> {
    await this.#take({ what: 'accept', leg, remote, media })
    if (!this.released && !this.legs.get(leg)?.offered)
      throw new Error(`an answer on ${leg} without an offer`)
  }

  async answer(leg: LegId, remote: AudioDescription, shape: LegShape, media: LegMedia) {
    await this.#take({ what: 'answer', leg, remote, shape, media })
    return this.#transport(leg, shape)
  }

  async promote(): Promise<void> {
    await this.#take({ what: 'promote', leg: undefined })
    const next = this.legs.get('next')
    if (!next) throw new Error('nothing to promote')
    this.legs.delete('next')
    this.legs.set('pbx', next)
  }

  async drop(leg: 'pbx' | 'next'): Promise<void> {
    await this.#take({ what: 'drop', leg })
    this.legs.delete(leg)
  }

  start(): void {
    this.asked.push({ what: 'start', leg: undefined })
  }

  async play(leg: LegId, playback: Playback | undefined): Promise<void> {
    await this.#take({ what: 'play', leg, playback })
  }

  async query(): Promise<CallMediaReport> {
    if (this.released && !this.forgiving) throw new Error('released')
    return { ...REPORT, transcoding: true }
  }

  async release(): Promise<CallMediaReport | undefined> {
    this.asked.push({ what: 'release', leg: undefined })
    this.released = true
    this.legs.clear()
    return REPORT
  }

  async #take(asked: Asked): Promise<void> {
    if (this.released) throw new Error(`${asked.what} after release`)
    this.asked.push(asked)
    await this.#gate
    const { failNext } = this
    if (failNext?.what === asked.what) {
      this.failNext = undefined
      throw failNext.error
    }
    if (this.released && !this.forgiving) throw new Error(`released during ${asked.what}`)
  }

  #leg(leg: LegId): { port: number; offered: boolean } {
    const old = this.legs.get(leg)
    if (old) return old
    const made = { port: 30000 + 2 * this.#made++, offered: false }
    this.legs.set(leg, made)
    return made
  }

  #transport(leg: LegId, shape: LegShape): LegTransport {
    const { port } = this.#leg(leg)
    const dtls = shape.keying === 'dtls'
    return {
      address: shape.external ? '203.0.113.10' : '10.0.0.5',
      family: 4,
      port,
      rtcpPort: shape.rtcpMux ? undefined : port + 1,
      rtcpMux: shape.rtcpMux,
      crypto: shape.suites.map((suite, index) => ({
        tag: shape.cryptoTag ?? index + 1,
        suite,
        key: new Secret(`OURS${port}`),
        lifetime: undefined,
        mki: undefined,
        sessionParameters: '',
      })),
      dtls: dtls
        ? {
            fingerprints: [{ algorithm: 'sha-256', value: FINGERPRINT }],
            setup: shape.setup ?? 'actpass',
          }
        : undefined,
      ice: dtls
        ? {
            ufrag: `uf${port}`,
            password: new Secret('ourpasswordisoneoflength'),
            lite: false,
            candidates: [
              {
                foundation: '1',
                component: 1,
                priority: 2130706431,
                address: '203.0.113.10',
                port,
                type: 'host',
              },
            ],
          }
        : undefined,
      ssrc: 1000 + port,
      cname: 'causeway',
    }
  }
}

const REPORT: CallMediaReport = {
  at: 0,
  legs: { whatsapp: undefined, pbx: undefined },
  transcoding: false,
  verdicts: [],
  verdict: 'none',
  dtmf: [],
}
