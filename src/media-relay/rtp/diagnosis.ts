import type { CallMediaReport, Verdict } from '../../media/anchor/report.ts'
import type { Side } from '../../media/anchor/types.ts'
import { definitionOf, type Owner } from '../../shared/errors/index.ts'
import { type Finding, type LegSnapshot, LegWatch } from './leg-watch.ts'

export { type LegSnapshot, SILENT_MS } from './leg-watch.ts'

/** Both legs of a call as {@link Diagnosis.update} sees them; undefined while a leg is not there. */
export type LegSnapshots = Readonly<Record<Side, LegSnapshot | undefined>>

/** A verdict that is new, or that stands no more. */
export interface VerdictChange {
  verdict: Verdict
  cleared: boolean
}

/** A verdict of the call; `clearedAt` in milliseconds since the Unix epoch, undefined while it stands. */
export type VerdictRecord = CallMediaReport['verdicts'][number]

/** Verdicts a call remembers; the oldest cleared ones give way. */
const REMEMBERED = 32
const SIDES = ['whatsapp', 'pbx'] as const
const NONE: readonly VerdictChange[] = []

/** Who has to act: the catalogue speaks of the PBX where either side may be the sender. */
function ownerOf(owner: Owner, side: Side): Owner {
  return owner === 'pbx' && side === 'whatsapp' ? 'whatsapp' : owner
}

/**
 * What is wrong with a call's media, found by looking at both legs once a second. Each side has one
 * verdict at a time, the most specific; it is told when it comes and when it goes, not in between.
 */
export class Diagnosis {
  /** Every verdict of the call, those that stand without `clearedAt`. */
  readonly verdicts: VerdictRecord[] = []
  /** The side that is silent while the other one is heard. */
  oneWay: Side | undefined
  readonly #wallOffset: number
  readonly #watches = { whatsapp: new LegWatch('whatsapp'), pbx: new LegWatch('pbx') }
  readonly #standing: Record<Side, VerdictRecord | undefined> = {
    whatsapp: undefined,
    pbx: undefined,
  }

  /** @param nowMs and wallMs the same moment, monotonic and since the Unix epoch. */
  constructor(nowMs: number, wallMs: number) {
    this.#wallOffset = wallMs - nowMs
  }

  /** Looks at both legs; to be called once a second. Gives what has changed. */
  update(nowMs: number, legs: LegSnapshots): readonly VerdictChange[] {
    let changes: VerdictChange[] | undefined
    for (const side of SIDES) {
      const leg = legs[side]
      const finding = leg && this.#watches[side].look(nowMs, leg)
      const standing = this.#standing[side]
      if (standing?.code === finding?.code) continue
      changes ??= []
      if (standing) {
        standing.clearedAt = Math.round(nowMs + this.#wallOffset)
        changes.push({ verdict: plain(standing), cleared: true })
      }
      this.#standing[side] = finding && this.#raise(side, finding)
      if (finding) changes.push({ verdict: plain(this.#standing[side]!), cleared: false })
    }
    this.oneWay = this.#findOneWay(legs)
    return changes ?? NONE
  }

  /** Whether a side should be heard and is not. */
  isSilent(side: Side): boolean {
    return this.#watches[side].silent
  }

  /** The call in a word, for {@link CallMediaReport.verdict}. */
  overall(legs: LegSnapshots): CallMediaReport['verdict'] {
    return overallVerdict(
      legs,
      this.oneWay,
      SIDES.some((side) => this.#standing[side] !== undefined),
    )
  }

  #raise(side: Side, finding: Finding): VerdictRecord {
    const row = definitionOf(finding.code)
    const verdict: VerdictRecord = {
      code: finding.code,
      side,
      owner: ownerOf(row.owner, side),
      detail: finding.detail,
      fix: row.fix,
      since: Math.round(finding.since + this.#wallOffset),
      clearedAt: undefined,
    }
    if (this.verdicts.length >= REMEMBERED) {
      const oldest = this.verdicts.findIndex(({ clearedAt }) => clearedAt !== undefined)
      this.verdicts.splice(oldest, 1)
    }
    this.verdicts.push(verdict)
    return verdict
  }

  #findOneWay(legs: LegSnapshots): Side | undefined {
    for (const side of SIDES) {
      const other = side === 'pbx' ? 'whatsapp' : 'pbx'
      const heard = legs[other]
      if (
        legs[side] &&
        this.isSilent(side) &&
        heard &&
        heard.packets > 0 &&
        !heard.held &&
        !this.isSilent(other)
      ) {
        return side
      }
    }
    return undefined
  }
}

function plain(record: VerdictRecord): Verdict {
  const { clearedAt: _, ...verdict } = record
  return verdict
}

/**
 * A call's media in a word. `one-way`: one side is silent, or was never heard though it might have
 * been, while the other is heard; `bad`: any other verdict stands; `none`: nobody was heard yet.
 */
export function overallVerdict(
  legs: Readonly<Record<Side, Pick<LegSnapshot, 'packets' | 'held'> | undefined>>,
  oneWay: Side | undefined,
  verdictStands: boolean,
): CallMediaReport['verdict'] {
  if (oneWay) return 'one-way'
  if (verdictStands) return 'bad'
  const heard = SIDES.filter((side) => (legs[side]?.packets ?? 0) > 0)
  if (heard.length === 0) return 'none'
  if (heard.length === 2) return 'good'
  const other = heard[0] === 'pbx' ? 'whatsapp' : 'pbx'
  // Who has no leg (an announcement is heard) or is on hold is not missed.
  return legs[other] && !legs[other].held ? 'one-way' : 'good'
}
