import type { DiscardReport } from '../../media/anchor/report.ts'
import type { Side } from '../../media/anchor/types.ts'
import type { ErrorCode } from '../../shared/errors/index.ts'

/** What a leg looks like at one moment. Times are those of {@link LegWatch.look}, monotonic. */
export interface LegSnapshot {
  /** Since when this side may send: answered, keys and address there. Undefined: not yet. */
  maySendSince: number | undefined
  /** Whether this side has said that it will not send (`recvonly`, `inactive`, hold). */
  held: boolean
  /** Authentic packets of an agreed payload type so far. */
  packets: number
  /** When the last of them came; undefined before the first. */
  lastPacketAt: number | undefined
  /** Counters, as of {@link DiscardReport}. */
  discarded: Readonly<DiscardReport>
  /** Where this side's packets are expected from, `address:port`. */
  remote: string | undefined
  /** The last source that was discarded, `address:port`. */
  strange: string | undefined
  /** The last payload type that was discarded. */
  strangePayloadType: number | undefined
  /** Audio codec as in rtpmap. */
  codec: string | undefined
  /** Milliseconds in this side's packets. */
  ptime: number | undefined
}

/** What is wrong with a leg. */
export interface Finding {
  code: ErrorCode
  detail: string
  /** When it began, in the time of {@link LegWatch.look}. */
  since: number
}

/** Milliseconds without a packet that are silence. */
export const SILENT_MS = 3000
/** Looks in a row, a second apart, that make a fault of packets lost among good ones, or its end. */
const LOOKS = 3
/** Discarded packets below this, in all and in a second, explain no silence: strays and scans. */
const FEW = 10
const FEW_A_SECOND = 5
/** Discarded packets in one look, and their share, that are a fault beside good ones. */
const FEW_A_LOOK = 5
const SHARE = 0.2

type Discarded = 'auth' | 'wrongPayloadType' | 'wrongSource'

/** The causes by reason, the most specific first. */
const CAUSES: readonly (readonly [Discarded, ErrorCode])[] = [
  ['auth', 'MEDIA_DECRYPT'],
  ['wrongPayloadType', 'MEDIA_WRONG_PAYLOAD_TYPE'],
  ['wrongSource', 'MEDIA_WRONG_SOURCE'],
]

/** A fault among good packets, counted look by look. */
class Share {
  #bad = 0
  #good = 0
  discarded = 0
  all = 0

  /** Whether it stands after a look that saw `packets` good and `discarded` bad ones. */
  look(packets: number, discarded: number): boolean {
    if (discarded >= FEW_A_LOOK && discarded >= SHARE * (packets + discarded)) {
      this.#bad++
      this.#good = 0
      this.discarded += discarded
      this.all += packets + discarded
    } else {
      this.#good++
      if (this.#good >= LOOKS || this.#bad < LOOKS) this.clear()
    }
    return this.#bad >= LOOKS
  }

  clear(): void {
    this.#bad = 0
    this.#good = 0
    this.discarded = 0
    this.all = 0
  }
}

/** Looks at one leg once a second and says what is wrong with what it receives: one cause at a time. */
export class LegWatch {
  /** Whether the side should be heard and has not been for {@link SILENT_MS}. */
  silent = false
  readonly #side: Side
  #packets = 0
  /** From when the present silence counts, beside the last packet. */
  #since: number | undefined
  /** Whether the silence counts from the next look rather than from when the side might send. */
  #anew = false
  /** Discards at the last look at which a packet had come. */
  readonly #base = { auth: 0, wrongPayloadType: 0, wrongSource: 0 }
  readonly #last = { auth: 0, wrongPayloadType: 0, wrongSource: 0 }
  readonly #shares = { auth: new Share(), wrongPayloadType: new Share() }
  #oddPtime = 0
  /** The reason found for the present silence. */
  #reason: (typeof CAUSES)[number] | undefined

  constructor(side: Side) {
    this.#side = side
  }

  /** What is wrong at this moment; undefined when nothing is. */
  look(nowMs: number, leg: LegSnapshot): Finding | undefined {
    const fresh = leg.packets < this.#packets
    if (fresh) this.#forget()
    const packets = leg.packets - this.#packets
    this.#packets = leg.packets
    const excused = leg.held || leg.maySendSince === undefined
    // After a hold, or with another leg, the time before counts for nothing.
    if (excused) this.#since = undefined
    else if (this.#since === undefined) this.#since = this.#anew ? nowMs : leg.maySendSince
    this.#anew = leg.held
    if (packets > 0 || excused || fresh) this.#note(this.#base, leg.discarded)
    const finding = excused ? this.#excuse() : this.#judge(nowMs, leg, packets)
    this.#note(this.#last, leg.discarded)
    return finding
  }

  #judge(nowMs: number, leg: LegSnapshot, packets: number): Finding | undefined {
    const began = Math.max(this.#since!, leg.maySendSince!, leg.lastPacketAt ?? 0)
    this.silent = nowMs - began >= SILENT_MS
    const decrypt = this.#look('auth', leg, packets)
    const payloadType = this.#look('wrongPayloadType', leg, packets)
    this.#oddPtime = this.#isOdd(leg) ? this.#oddPtime + 1 : 0
    if (this.silent) return this.#explain(nowMs, began, leg)
    this.#reason = undefined
    const from = ` from ${leg.remote ?? 'an unknown address'}`
    const since = nowMs - LOOKS * 1000
    if (decrypt) {
      const { discarded, all } = this.#shares.auth
      const detail = `${discarded} of ${all} packets${from} could not be authenticated`
      return { code: 'MEDIA_DECRYPT', detail, since }
    }
    if (payloadType) {
      const { discarded, all } = this.#shares.wrongPayloadType
      const detail = `${discarded} of ${all} packets${from} had payload type ${leg.strangePayloadType ?? 'unknown'}`
      return { code: 'MEDIA_WRONG_PAYLOAD_TYPE', detail, since }
    }
    if (this.#oddPtime >= LOOKS) {
      const detail = `packets${from} carry ${leg.ptime} ms of ${leg.codec}`
      return { code: 'MEDIA_PTIME_MISMATCH', detail, since }
    }
    return undefined
  }

  /** Why the side is silent: most of what was discarded, unless that is a handful. */
  #explain(nowMs: number, began: number, leg: LegSnapshot): Finding {
    const seconds = Math.round((nowMs - began) / 1000)
    if (!this.#reason) {
      let most = Math.max(FEW, FEW_A_SECOND * seconds) - 1
      for (const cause of CAUSES) {
        const count = this.#sinceBase(cause[0], leg)
        if (count > most) {
          most = count
          this.#reason = cause
        }
      }
    }
    const remote = leg.remote ?? 'an unknown address'
    const silence = `no packet from ${remote} for ${seconds} s`
    const strange = this.#sinceBase('wrongSource', leg)
    const elsewhere = strange > 0 ? `; ${strange} from ${leg.strange ?? 'elsewhere'} discarded` : ''
    if (!this.#reason) {
      const code = this.#side === 'pbx' ? 'MEDIA_SILENT_PBX' : 'MEDIA_SILENT_WHATSAPP'
      const before = leg.packets > 0 ? `; ${leg.packets} before` : ''
      return { code, detail: silence + elsewhere + before, since: began }
    }
    const [reason, code] = this.#reason
    const count = this.#sinceBase(reason, leg)
    if (reason === 'wrongSource') return { code, detail: silence + elsewhere, since: began }
    const wrong =
      reason === 'auth'
        ? 'could not be authenticated'
        : `had payload type ${leg.strangePayloadType ?? 'unknown'}`
    const detail = `none of ${count} packets from ${remote} in ${seconds} s was usable: they ${wrong}`
    return { code, detail, since: began }
  }

  #look(reason: 'auth' | 'wrongPayloadType', leg: LegSnapshot, packets: number): boolean {
    const discarded = leg.discarded[reason] - this.#last[reason]
    return this.#shares[reason].look(packets, Math.max(0, discarded))
  }

  /** G.711 is repacked, Opus cannot be. */
  #isOdd(leg: LegSnapshot): boolean {
    return leg.codec?.toLowerCase() === 'opus' && leg.ptime !== undefined && leg.ptime !== 20
  }

  #sinceBase(reason: Discarded, leg: LegSnapshot): number {
    return Math.max(0, leg.discarded[reason] - this.#base[reason])
  }

  #excuse(): undefined {
    this.silent = false
    this.#reason = undefined
    this.#oddPtime = 0
    this.#shares.auth.clear()
    this.#shares.wrongPayloadType.clear()
  }

  /** Another leg has taken this one's place: its counters begin anew. */
  #forget(): void {
    this.#packets = 0
    this.#since = undefined
    this.#anew = true
    this.#excuse()
    this.#note(this.#last, { auth: 0, wrongPayloadType: 0, wrongSource: 0 })
  }

  #note(into: Record<Discarded, number>, from: Readonly<Record<Discarded, number>>): void {
    into.auth = from.auth
    into.wrongPayloadType = from.wrongPayloadType
    into.wrongSource = from.wrongSource
  }
}
