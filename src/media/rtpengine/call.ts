import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import type { CallMediaReport } from '../anchor/report.ts'
import type {
  AnchorCall,
  LegId,
  LegMedia,
  LegShape,
  LegTransport,
  MediaEvent,
  Playback,
  Suite,
} from '../anchor/types.ts'
import type { AudioDescription } from '../sdp/types.ts'
import type { NgDictionary } from './client.ts'
import { coded } from './codes.ts'
import {
  asAnswer,
  asOffer,
  FLAGS,
  keyingOf,
  nobody,
  offerFlags,
  plainShape,
  shaped,
  toNg,
  transportOf,
} from './describe.ts'
import type { Digit } from './digits.ts'
import type { RtpengineInstance } from './instance.ts'
import { newLeg, type PbxLeg } from './pbx-leg.ts'
import { Player } from './player.ts'
import { Watch } from './watch.ts'

/** When a call is looked at, milliseconds: soon while media begins, then now and then. */
const LOOKS = [250, 250, 500, 1000, 2000]
const LOOK = 3000
/** The same while WhatsApp is fed with silence, which has to end when the PBX speaks. */
const LOOK_FILLING = 500
/** Silence of the PBX after which WhatsApp is fed: before its first packet, and later. */
const FILL_FIRST = 1500
const FILL_LATER = 10_000

/** A call's relay. */
export interface RtpengineCallContext {
  clock: Clock
  /** The instance with the fewest calls that answers; undefined when there is none. */
  choose(without: ReadonlySet<RtpengineInstance>): RtpengineInstance | undefined
  /** Tells the relay that a call is gone. */
  ended(call: RtpengineCall): void
}

/**
 * One call on an rtpengine. Towards rtpengine WhatsApp is the offerer of every exchange but the first of
 * a business-initiated call with DTLS, whoever offered in SIP: repeated with WhatsApp's unchanged
 * description, port, key and ICE credentials on its leg stay as they are, whatever the PBX does.
 */
export class RtpengineCall implements AnchorCall {
  readonly id: string
  readonly #context: RtpengineCallContext
  readonly #watch: Watch
  readonly #player: Player
  #instance: RtpengineInstance | undefined
  #listener: ((event: MediaEvent) => void) | undefined
  #whatsapp: AudioDescription | undefined
  #toWhatsApp: LegTransport | undefined
  #pbx: PbxLeg
  #next: PbxLeg | undefined
  #tags = 0
  #timer: Timer | undefined
  #looks = 0
  /** Packets sent to WhatsApp at the last look. */
  #sent = 0
  #startedAt: number | undefined
  #released: Promise<CallMediaReport | undefined> | undefined

  constructor(id: string, listener: (event: MediaEvent) => void, context: RtpengineCallContext) {
    this.id = id
    this.#context = context
    this.#listener = listener
    this.#pbx = newLeg(this.#tags++)
    const tell = (event: MediaEvent): void => this.#listener?.(event)
    this.#watch = new Watch(context.clock, tell)
    this.#player = new Player({
      clock: context.clock,
      ask: (command, parameters) => this.#ask(command, parameters),
      tell,
    })
  }

  /** The instance that carries the call, once it has one. */
  get instance(): RtpengineInstance | undefined {
    return this.#instance
  }

  async offer(
    leg: LegId,
    shape: LegShape,
    peer: AudioDescription | undefined,
  ): Promise<LegTransport> {
    if (leg === 'whatsapp') return this.#offerWhatsApp(shape, peer)
    this.#whatsapp ??= peer
    if (leg === 'next') this.#next ??= newLeg(this.#tags++)
    const pbx = this.#leg(leg)
    pbx.shape = shape
    await this.#offerPbx(pbx)
    return shaped(pbx.transport!, shape)
  }

  async accept(leg: LegId, answer: AudioDescription, media: LegMedia): Promise<void> {
    if (leg !== 'whatsapp') {
      const pbx = this.#leg(leg)
      pbx.remote = answer
      pbx.media = media
      await this.#answerPbx(pbx)
      this.#look()
      return
    }
    const natural = this.#whatsapp === undefined && keyingOf(answer) === 'dtls'
    this.#whatsapp = { ...answer, codecs: [media.audio, ...(media.event ? [media.event] : [])] }
    if (natural) {
      const reply = await this.#ask('answer', {
        'from-tag': this.#pbx.tag,
        'to-tag': 'whatsapp',
        sdp: toNg(this.#whatsapp),
        flags: FLAGS,
      })
      this.#pbx.transport = transportOf(reply)
    } else if (this.#pbx.shape && this.#pbx.remote) {
      await this.#offerPbx(this.#pbx)
      await this.#answerPbx(this.#pbx)
    }
    this.#look()
  }

  async answer(
    leg: LegId,
    offer: AudioDescription,
    shape: LegShape,
    media: LegMedia,
  ): Promise<LegTransport> {
    if (leg === 'whatsapp') {
      this.#whatsapp = offer
      if (!this.#toWhatsApp) await this.#alone(shape)
      return shaped(this.#toWhatsApp!, shape)
    }
    if (leg === 'next') this.#next ??= newLeg(this.#tags++)
    const pbx = this.#leg(leg)
    pbx.offers ||= pbx.transport === undefined
    const settled =
      pbx.remote === offer && pbx.transport !== undefined && keyingOf(offer) !== 'sdes'
    pbx.remote = offer
    pbx.shape = shape
    pbx.media = media
    if (!settled) {
      await this.#offerPbx(pbx)
      await this.#answerPbx(pbx)
    }
    this.#look()
    return shaped(pbx.transport!, shape)
  }

  async promote(): Promise<void> {
    if (!this.#next) return
    this.#pbx = this.#next
    this.#next = undefined
  }

  async drop(leg: 'pbx' | 'next'): Promise<void> {
    if (leg === 'next') {
      const took = this.#next?.media !== undefined
      this.#next = undefined
      // With its answer the new leg had taken WhatsApp's stream: the one before gets it back.
      if (took && this.#pbx.remote) {
        await this.#offerPbx(this.#pbx)
        await this.#answerPbx(this.#pbx)
      }
      return
    }
    this.#pbx = newLeg(this.#tags++)
    if (this.#whatsapp) await this.#alone(undefined)
  }

  /** rtpengine forwards what comes by itself; WhatsApp is fed while nothing does. */
  start(): void {
    this.#startedAt ??= this.#context.clock.monotonic()
    this.#looks = 0
    this.#timer?.clear()
    this.#timer = undefined
    this.#look()
  }

  async play(leg: LegId, playback: Playback | undefined): Promise<void> {
    const pbx = this.#leg(leg).tag
    if (leg === 'whatsapp') await this.#player.play(leg, leg, pbx, playback)
    else await this.#player.play(leg, pbx, 'whatsapp', playback)
  }

  async query(): Promise<CallMediaReport> {
    const reply = await this.#ask('query', {})
    const report = this.#watch.report(reply, this.#pbx.tag)
    this.#watch.judge(report)
    return report
  }

  /** A keypress that rtpengine has seen. */
  pressed({ tag, digit, durationMs }: Digit): void {
    const leg = tag === 'whatsapp' ? 'whatsapp' : tag === this.#next?.tag ? 'next' : 'pbx'
    this.#watch.digit(leg === 'whatsapp' ? leg : 'pbx', digit)
    this.#listener?.({ type: 'dtmf', leg, digit, durationMs })
  }

  release(): Promise<CallMediaReport | undefined> {
    this.#released ??= this.#release()
    return this.#released
  }

  /** Its instance is gone: tells the call's owner once. */
  lose(detail: string): void {
    this.#timer?.clear()
    this.#player.close()
    const listener = this.#listener
    this.#listener = undefined
    listener?.({ type: 'ended', error: new CausewayError('MEDIA_RELAY_LOST', { detail }) })
  }

  async #release(): Promise<CallMediaReport | undefined> {
    this.#timer?.clear()
    this.#player.close()
    this.#listener = undefined
    const instance = this.#instance
    const call = { 'call-id': this.id }
    try {
      if (!instance) return undefined
      const reply = await instance.request('query', call)
      const report = this.#watch.report(reply, this.#pbx.tag)
      await instance.request('delete', { ...call, 'delete-delay': 0 })
      return report
    } catch {
      // rtpengine forgets the call by its own timeout.
      return this.#watch.last
    } finally {
      if (instance) instance.calls--
      this.#context.ended(this)
    }
  }

  /** Our offer to WhatsApp, made before WhatsApp has said anything. */
  async #offerWhatsApp(shape: LegShape, peer: AudioDescription | undefined): Promise<LegTransport> {
    const pbx = this.#pbx
    pbx.remote = peer
    if (shape.keying === 'dtls') {
      // Another ufrag of the remote would be an ICE restart: here WhatsApp has to be the answerer.
      const party = peer
        ? { ...peer, direction: 'sendrecv' as const }
        : nobody(shape.codecs, 'none')
      const reply = await this.#ask('offer', {
        'from-tag': pbx.tag,
        sdp: toNg(party),
        ...offerFlags(shape, party.codecs, undefined, false),
      })
      this.#toWhatsApp = transportOf(reply)
      return shaped(this.#toWhatsApp, shape)
    }
    this.#whatsapp = nobody(shape.codecs, shape.keying)
    if (!peer) {
      await this.#alone(shape)
      return shaped(this.#toWhatsApp!, shape)
    }
    pbx.offers = true
    pbx.shape = { ...shape, keying: keyingOf(peer), codecs: peer.codecs, rtcpMux: peer.rtcpMux }
    await this.#offerPbx(pbx)
    await this.#answerPbx(pbx)
    return shaped(this.#toWhatsApp!, shape)
  }

  /** WhatsApp's description again, for a PBX leg; sets the transport of that leg. */
  async #offerPbx(pbx: PbxLeg): Promise<void> {
    const whatsapp = asOffer(this.#whatsapp!)
    const reply = await this.#ask('offer', {
      'from-tag': 'whatsapp',
      'via-branch': pbx.tag,
      sdp: toNg(whatsapp),
      ...offerFlags(pbx.shape!, whatsapp.codecs, pbx.remote, pbx.offers),
    })
    pbx.transport = transportOf(reply)
  }

  /** The PBX's description as the answer; sets the transport of WhatsApp's leg. */
  async #answerPbx(pbx: PbxLeg): Promise<void> {
    const suite = pbx.shape?.suites[0]
    const known = pbx.remote!.crypto.some((line) => line.suite === suite)
    const answer = asAnswer(
      pbx.remote!,
      pbx.media,
      pbx.transport,
      known ? (suite as Suite) : undefined,
    )
    const reply = await this.#ask('answer', {
      'from-tag': 'whatsapp',
      'to-tag': pbx.tag,
      'via-branch': pbx.tag,
      sdp: toNg(answer),
      flags: FLAGS,
      'rtcp-mux': ['accept'],
    })
    this.#toWhatsApp = transportOf(reply)
  }

  /** WhatsApp's leg without anybody at the other end. */
  async #alone(shape: LegShape | undefined): Promise<void> {
    const codecs = shape?.codecs ?? this.#whatsapp!.codecs
    const remote = { ...nobody(codecs, 'none'), direction: 'inactive' as const }
    const leg = { ...newLeg(this.#tags++), shape: plainShape(codecs), remote }
    await this.#offerPbx(leg)
    await this.#answerPbx(leg)
  }

  #leg(leg: LegId): PbxLeg {
    return leg === 'next' ? (this.#next ?? this.#pbx) : this.#pbx
  }

  /** Looks at the packet counters now and then. */
  #look(): void {
    if (this.#timer || !this.#listener) return
    const wait = this.#player.filling ? LOOK_FILLING : (LOOKS[this.#looks] ?? LOOK)
    this.#looks++
    this.#timer = this.#context.clock.setTimeout(() => {
      this.#timer = undefined
      this.query()
        .then((report) => this.#feed(report))
        .catch((error: unknown) => {
          const lost = isCausewayError(error) && error.code === 'MEDIA_RELAY_LOST'
          if (lost) this.lose(error.detail ?? 'unknown to rtpengine')
        })
        .finally(() => this.#look())
    }, wait)
  }

  /**
   * WhatsApp ends a call that has no media for 20 s at its start, or for 30 s later. An rtpengine
   * with its audio player on feeds it anyway.
   */
  async #feed({ legs }: CallMediaReport): Promise<void> {
    const sent = legs.whatsapp?.sent.packets ?? 0
    const fed = sent > this.#sent
    this.#sent = sent
    if (this.#startedAt === undefined || (fed && !this.#player.filling)) return
    const { heard, lastAt } = this.#watch.pbx
    const quiet = this.#context.clock.monotonic() - Math.max(lastAt, this.#startedAt)
    const long = heard ? FILL_LATER : FILL_FIRST
    if (quiet >= long) await this.#player.fill(true)
    else if (quiet < LOOK_FILLING) await this.#player.fill(false)
  }

  /** Sends a command; the first of a call goes to the next instance when one does not answer. */
  async #ask(command: string, parameters: NgDictionary): Promise<NgDictionary> {
    const tried = new Set<RtpengineInstance>()
    let failure: unknown
    for (;;) {
      const fresh = this.#instance === undefined
      const instance = this.#instance ?? this.#context.choose(tried)
      if (!instance || this.#released) {
        throw (
          failure ??
          new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail: 'no rtpengine answers' })
        )
      }
      try {
        const digits = fresh ? await instance.digitsTo() : undefined
        const reply = await instance.request(command, {
          ...parameters,
          ...(digits === undefined ? {} : { 'DTMF-log-dest': digits }),
          'call-id': this.id,
        })
        if (fresh) {
          this.#instance = instance
          instance.calls++
        }
        return reply
      } catch (error) {
        tried.add(instance)
        failure = coded(error, instance.name)
        if (!fresh) throw failure
      }
    }
  }
}
