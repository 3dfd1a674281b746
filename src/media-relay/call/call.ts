import type { CallMediaReport } from '../../media/anchor/report.ts'
import type {
  LegId,
  LegMedia,
  LegShape,
  LegTransport,
  MediaEvent,
  Playback,
  Side,
} from '../../media/anchor/types.ts'
import type { AudioDescription, Codec } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { EngineParts } from './engine.ts'
import { Leg, type LegListener, speaks } from './leg.ts'
import type { Due } from './outlet.ts'
import type { Paced } from './pacer.ts'
import { Playing } from './playing.ts'
import { legReport } from './report.ts'
import { createRoute, type Route } from './route.ts'
import { Transcoding } from './transcoding.ts'
import { CallWatch } from './watch.ts'

/** Milliseconds between two looks at a call as a whole. */
const SECOND = 1_000

/** One call of a worker: its legs and what connects them. */
export class Call implements LegListener, Paced {
  readonly name: string
  readonly due: Due = { at: 0 }
  readonly #parts: EngineParts
  readonly #listener: (event: MediaEvent) => void
  readonly #onEnd: () => void
  readonly #legs: Record<LegId, Leg | undefined> = {
    whatsapp: undefined,
    pbx: undefined,
    next: undefined,
  }
  readonly #playing: Playing
  readonly #transcoding: Transcoding
  readonly #dtmf: CallMediaReport['dtmf'] = []
  readonly #watch: CallWatch
  /** When media began, monotonic milliseconds. */
  #startedAt: number | undefined
  #secondAt: number
  /** Whether the end of the media was told. */
  #failed = false
  #releasing: Promise<CallMediaReport | undefined> | undefined

  constructor(
    name: string,
    listener: (event: MediaEvent) => void,
    parts: EngineParts,
    onEnd: () => void,
  ) {
    this.name = name
    this.#parts = parts
    this.#listener = listener
    this.#onEnd = onEnd
    this.#transcoding = new Transcoding(parts.budget)
    this.#playing = new Playing(parts, (leg, file) =>
      this.#tell({ type: 'played', leg: leg.id, file }),
    )
    const nowMs = parts.clock.monotonic()
    this.#secondAt = nowMs + SECOND
    this.#watch = new CallWatch(nowMs, parts.clock.now(), (event) => this.#tell(event))
    parts.pacer.add(this)
  }

  /** See {@link AnchorCall.offer}. */
  async offer(
    id: LegId,
    shape: LegShape,
    _peer: AudioDescription | undefined,
  ): Promise<LegTransport> {
    const leg = await this.#legFor(id, shape)
    return leg.transport.offer(shape).catch((error: unknown) => this.#undo(leg, error))
  }

  /** See {@link AnchorCall.accept}. */
  async accept(id: LegId, answer: AudioDescription, media: LegMedia): Promise<void> {
    const leg = this.#leg(id)
    if (!leg) throw new CausewayError('MEDIA_STATE', { detail: `no offer was made on ${id}` })
    await this.#agree(leg, media, () => leg.transport.accept(answer))
  }

  /** See {@link AnchorCall.answer}. */
  async answer(
    id: LegId,
    offer: AudioDescription,
    shape: LegShape,
    media: LegMedia,
  ): Promise<LegTransport> {
    const leg = await this.#legFor(id, shape)
    return this.#agree(leg, media, () => leg.transport.answer(offer, shape)).catch(
      (error: unknown) => this.#undo(leg, error),
    )
  }

  /** See {@link AnchorCall.promote}. */
  async promote(): Promise<void> {
    const { pbx, next } = this.#legs
    this.#assertLive()
    if (!next) throw new CausewayError('MEDIA_STATE', { detail: 'no leg is to take over' })
    next.id = 'pbx'
    this.#legs.pbx = next
    this.#legs.next = undefined
    this.#connect()
    await this.#close(pbx)
  }

  /** See {@link AnchorCall.drop}. */
  async drop(id: 'pbx' | 'next'): Promise<void> {
    const leg = this.#leg(id)
    this.#legs[id] = undefined
    this.#connect()
    await this.#close(leg)
  }

  /** See {@link AnchorCall.start}. */
  start(): void {
    if (this.#startedAt !== undefined || this.#releasing) return
    this.#startedAt = this.#parts.clock.monotonic()
    this.#connect()
  }

  /** See {@link AnchorCall.play}. */
  async play(id: LegId, playback: Playback | undefined): Promise<void> {
    const leg = this.#leg(id)
    if (leg) await this.#playing.play(leg, playback)
    else if (playback) throw new CausewayError('MEDIA_STATE', { detail: `no leg ${id}` })
  }

  /** See {@link AnchorCall.query}. */
  query(): CallMediaReport {
    const { whatsapp, pbx } = this.#legs
    return {
      at: this.#parts.clock.now(),
      legs: { whatsapp: whatsapp && legReport(whatsapp), pbx: pbx && legReport(pbx) },
      transcoding: this.#transcoding.converts(whatsapp?.media, pbx?.media),
      verdicts: this.#watch.verdicts,
      verdict: this.#watch.overall(this.#startedAt, whatsapp, pbx),
      dtmf: [...this.#dtmf],
    }
  }

  /** See {@link AnchorCall.release}. */
  release(): Promise<CallMediaReport | undefined> {
    this.#releasing ??= this.#end()
    return this.#releasing
  }

  /** Moves on what is due on every leg. */
  tick(nowMs: number): void {
    // A call that hears both sides has nothing to do for 60 ms after each packet: this spares it most
    // of a hundred looks a second at three legs.
    if (nowMs < this.due.at) return
    const { whatsapp, pbx, next } = this.#legs
    const started = this.#startedAt !== undefined
    whatsapp?.tick(nowMs, started)
    pbx?.tick(nowMs, true)
    next?.tick(nowMs, true)
    if (nowMs >= this.#secondAt) this.#second(nowMs)
    this.due.at = Math.min(
      this.#secondAt,
      whatsapp?.dueAt(started) ?? this.#secondAt,
      pbx?.dueAt(true) ?? this.#secondAt,
      next?.dueAt(true) ?? this.#secondAt,
    )
  }

  #second(nowMs: number): void {
    const { whatsapp, pbx } = this.#legs
    this.#secondAt = nowMs + SECOND
    whatsapp?.second(nowMs)
    pbx?.second(nowMs)
    if (this.#startedAt !== undefined) this.#watch.look(nowMs, this.#startedAt, whatsapp, pbx)
  }

  onMediaUp(leg: Leg): void {
    const now = this.#parts.clock.monotonic()
    const afterMs = Math.max(0, Math.round(now - (leg.openedAt ?? now)))
    this.#tell({ type: 'media-up', leg: leg.id, afterMs })
  }

  onDigit(leg: Leg, digit: string, durationMs: number): void {
    const side: Side = leg.id === 'whatsapp' ? 'whatsapp' : 'pbx'
    if (this.#dtmf.length < MOST_DIGITS) {
      this.#dtmf.push({ side, digit, at: this.#parts.clock.now() })
    }
    this.#tell({ type: 'dtmf', leg: leg.id, digit, durationMs })
  }

  onFailed(leg: Leg, error: CausewayError): void {
    if (this.#failed) return
    this.#parts.totals.failures++
    this.#parts.log.warn({ err: error, call: this.name, leg: leg.id }, 'media leg failed')
    // Who was to take over did not; the call goes on with who is there.
    if (leg.id === 'next') return
    this.#failed = true
    this.#tell({ type: 'ended', error })
  }

  onFault(cause: unknown): void {
    const error = new CausewayError('MEDIA_RELAY_LOST', { detail: String(cause), cause })
    this.#parts.log.error({ err: error, call: this.name }, 'media call failed')
    if (!this.#failed) this.#tell({ type: 'ended', error })
    this.#failed = true
  }

  onOther(leg: Leg, codec: Codec): Route | undefined {
    const target = leg.id === 'whatsapp' ? this.#legs.pbx : this.#legs.whatsapp
    if (!target?.media || !this.#transcoding.mayConvert(leg, codec, target.media.audio)) {
      return undefined
    }
    return createRoute(codec, target.outlet, target.media.audio)
  }

  #tell(event: MediaEvent): void {
    if (!this.#releasing) this.#listener(event)
  }

  #leg(id: LegId): Leg | undefined {
    this.#assertLive()
    return this.#legs[id]
  }

  #assertLive(): void {
    if (this.#releasing) throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'released' })
  }

  async #legFor(id: LegId, shape: LegShape): Promise<Leg> {
    const kind = shape.keying === 'dtls' ? 'dtls' : 'udp'
    await this.#parts.prepare(kind)
    const leg = this.#leg(id) ?? new Leg(id, kind, this.#parts, this)
    this.#legs[id] = leg
    return leg
  }

  /** A leg that never came to be is taken back; one that is up stays as it was. */
  async #undo(leg: Leg, error: unknown): Promise<never> {
    if (!leg.media && !leg.transport.described && this.#legs[leg.id] === leg) {
      this.#legs[leg.id] = undefined
      await this.#close(leg)
    }
    throw error
  }

  async #agree<T>(leg: Leg, media: LegMedia, describe: () => Promise<T>): Promise<T> {
    this.#transcoding.reserve(leg, media, this.#opposite(leg))
    try {
      const result = await describe()
      this.#assertLive()
      leg.agree(media, this.#parts.clock.monotonic())
      this.#connect()
      this.#playing.agreed(leg)
      return result
    } finally {
      this.#settle()
    }
  }

  /** Legs a leg's audio would have to be converted for. */
  #opposite(leg: Leg): Leg[] {
    const { whatsapp, pbx, next } = this.#legs
    const legs = leg.id === 'whatsapp' ? [pbx, next] : [whatsapp]
    return legs.filter((leg) => leg !== undefined)
  }

  #settle(): void {
    const { whatsapp, pbx, next } = this.#legs
    this.#transcoding.settle(whatsapp, [pbx, next])
  }

  /** Lets audio flow as legs, directions and the call's start have it. */
  #connect(): void {
    this.due.at = 0
    const { whatsapp, pbx, next } = this.#legs
    const nowMs = this.#parts.clock.monotonic()
    if (this.#startedAt !== undefined) {
      whatsapp?.open(nowMs)
      whatsapp?.wire.delivered?.()
      pbx?.wire.delivered?.()
    }
    whatsapp?.connect(pbx)
    pbx?.connect(whatsapp)
    next?.connect(undefined)
    whatsapp?.outlet.allow(this.#startedAt !== undefined, nowMs)
    pbx?.outlet.allow(pbx.media !== undefined && speaks(pbx.media.direction), nowMs)
    next?.outlet.allow(false, nowMs)
  }

  async #close(leg: Leg | undefined): Promise<void> {
    if (!leg) return
    this.#playing.stop(leg)
    this.#settle()
    await leg.close()
  }

  async #end(): Promise<CallMediaReport | undefined> {
    const report = this.query()
    const { whatsapp, pbx, next } = this.#legs
    this.#parts.pacer.remove(this)
    this.#transcoding.close()
    this.#legs.next = undefined
    await Promise.all([whatsapp, pbx, next].map((leg) => leg?.close()))
    this.#onEnd()
    return report
  }
}

/** Keypresses kept for the record of one call. */
const MOST_DIGITS = 200
