import type { CallMediaReport } from '../../media/anchor/report.ts'
import type { MediaEvent, Side } from '../../media/anchor/types.ts'
import { Diagnosis, type LegSnapshot, type LegSnapshots } from '../rtp/index.ts'
import type { Leg } from './leg.ts'

/** Seconds between two tellings of a silence that lasts. */
const TELL_EVERY = 10
/** Silence of a leg that holds, and may send music, that is told: milliseconds. */
const HOLD_SILENT = 1000

/** Looks at a call once a second and tells what is silent, one-way or wrong, and what is right again. */
export class CallWatch {
  readonly #tell: (event: MediaEvent) => void
  readonly #diagnosis: Diagnosis
  #oneWay: Side | undefined
  /** Seconds of silence that were told. */
  readonly #told = { whatsapp: 0, pbx: 0 }

  constructor(nowMs: number, wallMs: number, tell: (event: MediaEvent) => void) {
    this.#tell = tell
    this.#diagnosis = new Diagnosis(nowMs, wallMs)
  }

  /** The next look. `startedAt` is when the call's media began; nothing is expected before. */
  look(nowMs: number, startedAt: number, whatsapp: Leg | undefined, pbx: Leg | undefined): void {
    const legs = snapshots(startedAt, whatsapp, pbx)
    for (const { verdict, cleared } of this.#diagnosis.update(nowMs, legs)) {
      this.#tell({ type: 'verdict', verdict, cleared })
    }
    this.#silence('whatsapp', whatsapp, legs.whatsapp, nowMs)
    this.#silence('pbx', pbx, legs.pbx, nowMs)
    const { oneWay } = this.#diagnosis
    if (oneWay && oneWay !== this.#oneWay) this.#tell({ type: 'one-way', silent: oneWay })
    this.#oneWay = oneWay
  }

  get verdicts(): CallMediaReport['verdicts'] {
    return this.#diagnosis.verdicts.map((verdict) => ({ ...verdict }))
  }

  /** The call in a word; `startedAt` as in {@link look}, undefined before. */
  overall(
    startedAt: number | undefined,
    whatsapp: Leg | undefined,
    pbx: Leg | undefined,
  ): CallMediaReport['verdict'] {
    return startedAt === undefined
      ? 'none'
      : this.#diagnosis.overall(snapshots(startedAt, whatsapp, pbx))
  }

  #silence(
    side: Side,
    leg: Leg | undefined,
    snapshot: LegSnapshot | undefined,
    nowMs: number,
  ): void {
    const since = Math.max(snapshot?.maySendSince ?? nowMs, snapshot?.lastPacketAt ?? 0)
    const onHold = leg !== undefined && holds(leg) && nowMs - since >= HOLD_SILENT
    const told = this.#told[side]
    if (!snapshot || !(onHold || this.#diagnosis.isSilent(side))) {
      this.#told[side] = 0
      if (told > 0) this.#tell({ type: 'sound', leg: side })
      return
    }
    const seconds = Math.round((nowMs - since) / 1000)
    if (told > 0 && seconds < told + TELL_EVERY) return
    this.#told[side] = told === 0 ? Math.max(1, seconds) : told + TELL_EVERY
    this.#tell({ type: 'silence', leg: side, seconds })
  }
}

function snapshots(
  startedAt: number,
  whatsapp: Leg | undefined,
  pbx: Leg | undefined,
): LegSnapshots {
  return {
    whatsapp: whatsapp?.media && snapshot(startedAt, whatsapp),
    pbx: pbx?.media && snapshot(startedAt, pbx),
  }
}

/** Whether the remote holds but may send music (`sendonly`, RFC 3264 §8.4): silence is no fault then. */
function holds({ id, heard, media }: Leg): boolean {
  return id !== 'whatsapp' && heard && media?.direction === 'recvonly'
}

function snapshot(startedAt: number, leg: Leg): LegSnapshot {
  const { received, media, openedAt } = leg
  const facts = leg.wire.facts()
  // Without an address or keys of ours nothing can be expected to come back from WhatsApp.
  const usable = openedAt !== undefined && (leg.id !== 'whatsapp' || leg.wire.ready)
  return {
    maySendSince: usable ? Math.max(startedAt, openedAt) : undefined,
    held: !leg.heard || holds(leg),
    packets: received.packets,
    lastPacketAt: received.lastAt,
    discarded: leg.discarded(),
    remote: facts.remote,
    strange: facts.strange,
    strangePayloadType: leg.strangePayloadType,
    codec: media?.audio.name,
    ptime: received.ptime,
  }
}
