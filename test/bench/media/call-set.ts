import type {
  Anchor,
  AnchorCall,
  LegMedia,
  LegShape,
  LegTransport,
  Suite,
} from '../../../src/media/anchor/types.ts'
import type { AudioDescription } from '../../../src/media/sdp/types.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { type ModeName, modeOf, type SideMode } from './modes.ts'

/** The load driver's ends of one call. Plain data. */
export interface CallEnds {
  /** Local ports of the driver on 127.0.0.1. */
  pbxPort: number
  whatsappPort: number
  /** What the driver's ICE and DTLS say of themselves. */
  dtls: { fingerprint: string; ufrag: string; password: string }
}

/** A call that is up. */
export interface CallUp {
  /** The driver's command that makes it known. */
  line: string
  /** Monotonic nanoseconds at which its set-up began. */
  startedAt: number
}

/** How fast calls are set up and torn down again. */
export interface SetUpRate {
  perSecond: number
  calls: number
  /** Milliseconds from the first request to the last answer of one set-up. */
  ms: { p50: number; p99: number }
}

const SUITE: Suite = 'AES_CM_128_HMAC_SHA1_80'
const KEY_OCTETS = 30
/** Calls that are set up at the same time. */
const TOGETHER = 10

/** Calls of one anchor, all set up by the same steps: those of a user-initiated call. */
export class CallSet {
  readonly #anchor: Anchor
  readonly #calls: AnchorCall[] = []
  #count = 0

  constructor(anchor: Anchor) {
    this.#anchor = anchor
  }

  /** Sets calls up, ten at a time. */
  async setUp(name: ModeName, ends: readonly CallEnds[]): Promise<CallUp[]> {
    const up: CallUp[] = []
    for (let at = 0; at < ends.length; at += TOGETHER) {
      const some = ends.slice(at, at + TOGETHER).map((one) => this.#setUp(name, one))
      for (const { call, ...rest } of await Promise.all(some)) {
        this.#calls.push(call)
        up.push(rest)
      }
    }
    return up
  }

  async release(): Promise<void> {
    const calls = this.#calls.splice(0)
    for (let at = 0; at < calls.length; at += TOGETHER) {
      await Promise.all(calls.slice(at, at + TOGETHER).map((call) => call.release()))
    }
  }

  /** Sets up and releases so many calls, `together` at a time. */
  async measureSetUp(
    name: ModeName,
    end: CallEnds,
    calls: number,
    together: number,
  ): Promise<SetUpRate> {
    const times: number[] = []
    let left = calls
    const start = performance.now()
    const one = async (): Promise<void> => {
      while (left-- > 0) {
        const began = performance.now()
        const { call } = await this.#setUp(name, end)
        times.push(performance.now() - began)
        await call.release()
      }
    }
    await Promise.all(Array.from({ length: together }, one))
    const elapsed = (performance.now() - start) / 1000
    times.sort((a, b) => a - b)
    return {
      perSecond: calls / elapsed,
      calls,
      ms: { p50: share(times, 0.5), p99: share(times, 0.99) },
    }
  }

  async #setUp(name: ModeName, ends: CallEnds): Promise<CallUp & { call: AnchorCall }> {
    const { pbx, whatsapp } = modeOf(name)
    const startedAt = Number(process.hrtime.bigint())
    const call = this.#anchor.allocate(`bench-${process.pid}-${this.#count++}`, () => {})
    const offer = describe(whatsapp, ends.whatsappPort, ends)
    const toPbx = await call.offer('pbx', shapeOf(pbx, undefined), offer)
    const answer = describe(pbx, ends.pbxPort, ends)
    await call.accept('pbx', answer, mediaOf(pbx))
    const toWhatsApp = await call.answer('whatsapp', offer, shapeOf(whatsapp, 1), mediaOf(whatsapp))
    call.start()
    const line = [
      'call',
      sideLine(pbx, ends.pbxPort, toPbx, answer),
      sideLine(whatsapp, ends.whatsappPort, toWhatsApp, offer),
    ].join(' ')
    return { call, line, startedAt }
  }
}

/** The value below which a share of a sorted list lies. */
export function share(sorted: readonly number[], part: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
}

function describe({ keying, codec }: SideMode, port: number, ends: CallEnds): AudioDescription {
  const { fingerprint, ufrag, password } = ends.dtls
  const key = new Secret(Buffer.from(systemRandom.bytes(KEY_OCTETS)).toString('base64'))
  const line = {
    tag: 1,
    suite: SUITE,
    key,
    lifetime: undefined,
    mki: undefined,
    sessionParameters: '',
  }
  const host = { component: 1, priority: 2122260223, address: '127.0.0.1', port }
  const dtls = keying === 'dtls'
  return {
    address: '127.0.0.1',
    family: 4,
    port,
    rtcp: undefined,
    profile: dtls ? 'UDP/TLS/RTP/SAVPF' : keying === 'sdes' ? 'RTP/SAVP' : 'RTP/AVP',
    direction: 'sendrecv',
    codecs: [codec],
    ptime: 20,
    maxptime: undefined,
    crypto: keying === 'sdes' ? [line] : [],
    dtls: dtls
      ? { fingerprints: [{ algorithm: 'sha-256', value: fingerprint }], setup: 'actpass' }
      : undefined,
    ice: dtls
      ? {
          ufrag,
          password: new Secret(password),
          lite: true,
          candidates: [{ foundation: '1', type: 'host', ...host }],
        }
      : undefined,
    rtcpMux: true,
    mid: undefined,
    bundle: false,
    index: 0,
    others: [],
  }
}

function shapeOf({ keying, codec }: SideMode, cryptoTag: number | undefined): LegShape {
  const sdes = keying === 'sdes'
  return {
    keying,
    suites: sdes ? [SUITE] : [],
    cryptoTag: sdes ? cryptoTag : undefined,
    rtcpMux: true,
    setup: keying === 'dtls' ? 'active' : undefined,
    codecs: [codec],
    external: false,
  }
}

function mediaOf({ codec }: SideMode): LegMedia {
  return { audio: codec, accepts: [], event: undefined, ptime: 20, direction: 'sendrecv' }
}

/** Payload type, ticks, both ports, and the keys of what the driver sends and receives. */
function sideLine(
  { keying, codec }: SideMode,
  port: number,
  relay: LegTransport,
  own: AudioDescription,
): string {
  const keys =
    keying === 'none'
      ? ['-', '-']
      : keying === 'dtls'
        ? ['dtls', 'dtls']
        : [hex(own.crypto[0]!.key), hex(relay.crypto[0]!.key)]
  return [codec.payloadType, codec.clockRate / 50, port, relay.port, ...keys].join(' ')
}

function hex(key: Secret): string {
  return Buffer.from(key.reveal(), 'base64').toString('hex')
}
