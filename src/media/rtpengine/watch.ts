import type { Clock } from '../../shared/clock.ts'
import { definitionOf } from '../../shared/errors/index.ts'
import type { CallMediaReport, LegReport, StreamReport, Verdict } from '../anchor/report.ts'
import type { MediaEvent, Side } from '../anchor/types.ts'
import type { NgValue } from './bencode.ts'
import type { NgDictionary } from './client.ts'

/** Silence of a side that is a verdict, milliseconds. */
const SILENT = 5000

const CODES = { whatsapp: 'MEDIA_SILENT_WHATSAPP', pbx: 'MEDIA_SILENT_PBX' } as const

interface SideState {
  packets: number
  changedAt: number
  heard: boolean
  verdict: (Verdict & { clearedAt: number | undefined }) | undefined
}

/** Makes reports and events of the counters rtpengine keeps. */
export class Watch {
  readonly #clock: Clock
  readonly #tell: (event: MediaEvent) => void
  readonly #began: number
  readonly #sides: Record<Side, SideState>
  readonly #verdicts: CallMediaReport['verdicts'] = []
  /** The last report made. */
  last: CallMediaReport | undefined

  constructor(clock: Clock, tell: (event: MediaEvent) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#began = clock.monotonic()
    const state = (): SideState => ({
      packets: 0,
      changedAt: this.#began,
      heard: false,
      verdict: undefined,
    })
    this.#sides = { whatsapp: state(), pbx: state() }
  }

  /** The report of a `query` or `delete` reply. */
  report(reply: NgDictionary, pbxTag: string): CallMediaReport {
    const tags = dictionary(reply['tags'])
    const whatsapp = legOf(tags['whatsapp'])
    const pbx = legOf(tags[pbxTag])
    if (whatsapp && pbx) {
      // What one side sent goes to the other, unless that is on hold.
      whatsapp.sent = { ...pbx.received, lost: 0 }
      pbx.sent = { ...whatsapp.received, lost: 0 }
    }
    const silent = (['whatsapp', 'pbx'] as const).filter((side) => this.#sides[side].verdict)
    const heard = Boolean(whatsapp?.received.packets && pbx?.received.packets)
    this.last = {
      at: this.#clock.now(),
      legs: { whatsapp, pbx },
      transcoding: JSON.stringify(tags).includes('"transcoding"'),
      verdicts: [...this.#verdicts],
      verdict:
        silent.length === 1 ? 'one-way' : silent.length === 2 ? 'bad' : heard ? 'good' : 'none',
      dtmf: [],
    }
    return this.last
  }

  /** Compares a report with the one before: who has begun to send, who has stopped. */
  judge(report: CallMediaReport): void {
    const now = this.#clock.monotonic()
    for (const side of ['whatsapp', 'pbx'] as const) {
      const leg = report.legs[side]
      if (leg) this.#judge(side, leg, now)
    }
    const { whatsapp, pbx } = this.#sides
    if (whatsapp.verdict && !pbx.verdict) this.#oneWay('whatsapp')
    if (pbx.verdict && !whatsapp.verdict) this.#oneWay('pbx')
  }

  #oneWay(silent: Side): void {
    const state = this.#sides[silent]
    if (!state.verdict || state.verdict.since !== this.#clock.now()) return
    this.#tell({ type: 'one-way', silent })
  }

  #judge(side: Side, leg: LegReport, now: number): void {
    const state = this.#sides[side]
    const { packets } = leg.received
    if (packets !== state.packets || leg.held) {
      if (!state.heard && packets > 0) {
        state.heard = true
        this.#tell({ type: 'media-up', leg: side, afterMs: Math.round(now - this.#began) })
      }
      state.packets = packets
      state.changedAt = now
      if (state.verdict) {
        state.verdict.clearedAt = this.#clock.now()
        const { clearedAt, ...verdict } = state.verdict
        state.verdict = undefined
        this.#tell({ type: 'verdict', verdict, cleared: true })
      }
      return
    }
    const quiet = now - state.changedAt
    if (quiet < SILENT) return
    const seconds = Math.round(quiet / 1000)
    this.#tell({ type: 'silence', leg: side, seconds })
    if (state.verdict) return
    const { owner, fix } = definitionOf(CODES[side])
    const detail = `no packet from ${leg.remote ?? 'there'} for ${seconds} s`
    const verdict = { code: CODES[side], side, owner, detail, fix, since: this.#clock.now() }
    state.verdict = { ...verdict, clearedAt: undefined }
    this.#verdicts.push(state.verdict)
    this.#tell({ type: 'verdict', verdict, cleared: false })
  }
}

function legOf(tag: NgValue | undefined): LegReport | undefined {
  const media = dictionary(list(dictionary(tag)['medias'])[0])
  const stream = dictionary(list(media['streams'])[0])
  if (stream['local port'] === undefined) return undefined
  const stats = dictionary(stream['stats'])
  const endpoint = dictionary(stream['endpoint'])
  const flags = list(media['flags']).map(String)
  const protocol = String(media['protocol'] ?? '')
  const dtls = flags.includes('DTLS-SRTP')
  const mode = dtls ? 'dtls' : protocol.includes('SAVP') ? 'sdes' : 'none'
  const role = flags.find((flag) => flag.startsWith('DTLS role '))?.slice(10) ?? ''
  return {
    codec: undefined,
    payloadType: undefined,
    ptimeReceived: undefined,
    srtp: { mode, suite: undefined },
    local: `${stream['local address']}:${stream['local port']}`,
    remote:
      endpoint['port'] === undefined ? undefined : `${endpoint['address']}:${endpoint['port']}`,
    ice: undefined,
    dtls: dtls ? { role, cipher: undefined, state: '' } : undefined,
    received: streamOf(number(stats['packets']), number(stats['bytes'])),
    sent: streamOf(0, 0),
    rttMs: undefined,
    discarded: {
      auth: number(stats['errors']),
      replayed: 0,
      wrongSource: 0,
      wrongPayloadType: 0,
      malformed: 0,
    },
    silenceInserted: 0,
    held: !flags.includes('send'),
  }
}

function streamOf(packets: number, octets: number): StreamReport {
  return {
    packets,
    octets,
    lost: 0,
    lossRate: 0,
    burstRate: 0,
    jitterMs: 0,
    reordered: 0,
    duplicates: 0,
    firstPacketAfterMs: undefined,
    longestGapMs: 0,
    mos: undefined,
  }
}

function dictionary(value: NgValue | undefined): NgDictionary {
  return typeof value === 'object' && !Array.isArray(value) ? value : {}
}

function list(value: NgValue | undefined): NgValue[] {
  return Array.isArray(value) ? value : []
}

function number(value: NgValue | undefined): number {
  return typeof value === 'number' ? value : 0
}
