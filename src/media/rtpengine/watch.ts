import type { Clock } from '../../shared/clock.ts'
import { definitionOf } from '../../shared/errors/index.ts'
import type { CallMediaReport, LegReport, Verdict } from '../anchor/report.ts'
import type { MediaEvent, Side } from '../anchor/types.ts'
import type { NgDictionary } from './client.ts'
import { readLegs } from './figures.ts'

/** Silence of a side that is a verdict, milliseconds. */
const SILENT = 5000

/** Silence of a side that is told, milliseconds. */
const TOLD = 1000
/** Packets a second up to which there may be nothing but reports (RTCP), which count as well. */
const REPORTS = 1
/** Shortest time that tells speech from silence, milliseconds. */
const SHORTEST = 200
/** Keypresses kept for a call's record. */
const MOST_DIGITS = 200

const CODES = { whatsapp: 'MEDIA_SILENT_WHATSAPP', pbx: 'MEDIA_SILENT_PBX' } as const

interface SideState {
  packets: number
  lookedAt: number
  changedAt: number
  /** When it last spoke, hold or not. */
  lastAt: number
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
  readonly #digits: CallMediaReport['dtmf'] = []
  /** The last report made. */
  last: CallMediaReport | undefined

  constructor(clock: Clock, tell: (event: MediaEvent) => void) {
    this.#clock = clock
    this.#tell = tell
    this.#began = clock.monotonic()
    const state = (): SideState => ({
      packets: 0,
      lookedAt: this.#began,
      changedAt: this.#began,
      lastAt: this.#began,
      heard: false,
      verdict: undefined,
    })
    this.#sides = { whatsapp: state(), pbx: state() }
  }

  /** Whether the PBX was heard yet, and when last. Monotonic milliseconds. */
  get pbx(): { heard: boolean; lastAt: number } {
    return this.#sides.pbx
  }

  /** Notes a keypress for the reports. */
  digit(side: Side, digit: string): void {
    if (this.#digits.length < MOST_DIGITS) {
      this.#digits.push({ side, digit, at: this.#clock.now() })
    }
  }

  /** The report of a `query` or `delete` reply. */
  report(reply: NgDictionary, pbxTag: string): CallMediaReport {
    const { whatsapp, pbx, transcoding } = readLegs(reply, pbxTag)
    const silent = (['whatsapp', 'pbx'] as const).filter((side) => this.#sides[side].verdict)
    const heard = Boolean(whatsapp?.received.packets && pbx?.received.packets)
    this.last = {
      at: this.#clock.now(),
      legs: { whatsapp, pbx },
      transcoding,
      verdicts: [...this.#verdicts],
      verdict:
        silent.length === 1 ? 'one-way' : silent.length === 2 ? 'bad' : heard ? 'good' : 'none',
      dtmf: [...this.#digits],
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
    if (!state.heard && packets > 0) {
      state.heard = true
      this.#tell({ type: 'media-up', leg: side, afterMs: Math.round(now - this.#began) })
    }
    const elapsed = now - state.lookedAt
    const came = packets - state.packets
    const speaks = came > Math.max(1, (elapsed / 1000) * REPORTS)
    if (!speaks && elapsed < SHORTEST) return
    state.lookedAt = now
    state.packets = packets
    if (speaks) {
      if (now - state.lastAt >= TOLD + elapsed) this.#tell({ type: 'sound', leg: side })
      state.lastAt = now
      state.changedAt = now
      this.#clear(state)
      return
    }
    const quiet = now - state.lastAt
    const seconds = Math.round(quiet / 1000)
    if (quiet >= TOLD) this.#tell({ type: 'silence', leg: side, seconds })
    if (leg.held) {
      state.changedAt = now
      this.#clear(state)
    }
    if (state.verdict || now - state.changedAt < SILENT) return
    const { owner, fix } = definitionOf(CODES[side])
    const detail = `no packet from ${leg.remote ?? 'there'} for ${seconds} s`
    const verdict = { code: CODES[side], side, owner, detail, fix, since: this.#clock.now() }
    state.verdict = { ...verdict, clearedAt: undefined }
    this.#verdicts.push(state.verdict)
    this.#tell({ type: 'verdict', verdict, cleared: false })
  }

  #clear(state: SideState): void {
    if (!state.verdict) return
    state.verdict.clearedAt = this.#clock.now()
    const { clearedAt, ...verdict } = state.verdict
    state.verdict = undefined
    this.#tell({ type: 'verdict', verdict, cleared: true })
  }
}
