import type { TrunkConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { CallMediaReport } from '../anchor/report.ts'
import type { Anchor, AnchorAbilities, AnchorCall, LegId, Playback, Side } from '../anchor/types.ts'
import { parseAudio } from '../sdp/parse.ts'
import type { MediaCall, MediaSession, MediaSummary, Replacement } from '../session.ts'
import { Leg } from './leg.ts'
import { OperationQueue } from './queue.ts'
import {
  answeredByPbx,
  answerForPbx,
  answerForWhatsApp,
  codecFor,
  demandNumbers,
  formatsIn,
  usableFormats,
} from './rules/codecs.ts'
import { type Format, formatOf, formatsOf } from './rules/formats.ts'
import { narrowed, type Protection, protectionOfPbxOffer } from './rules/keying.ts'
import {
  hasEvents,
  planForPbx,
  planForWhatsApp,
  type Received,
  reachedExternally,
  type WhatsAppSide,
} from './rules/plans.ts'
import { offerOf, parseWhatsAppAnswer, whatsAppAnswer } from './rules/whatsapp.ts'

/**
 * The media of one call at an anchor. WhatsApp's leg has one offer and one answer; everything the
 * PBX does later stays on its own leg. Operations run one after the other.
 */
export class AnchoredSession implements MediaSession {
  readonly #call: AnchorCall
  readonly #abilities: AnchorAbilities
  readonly #number: MediaCall['number']
  readonly #random: Random
  readonly #log: Logger
  readonly #queue = new OperationQueue()
  readonly #whatsapp: Leg
  #trunk: TrunkConfig
  #pbx: Leg
  #next: Leg | undefined
  /** Who made the call's first offer. */
  #from: Side | undefined
  #whatsappOffer: Received | undefined
  #pbxOffer: Received | undefined
  /** What WhatsApp's offer was answered with. */
  #whatsappSdp: string | undefined
  /** Whether the answerer's final answer was taken. */
  #answered = false
  /** Whether the PBX owes the answer to an offer of ours (ACK). */
  #awaiting = false
  /** Whether the PBX leg was made known to the anchor. */
  #pbxUsed = false
  /** The PBX's answer to the first offer, as last taken. */
  #taken: string | undefined
  /** The PBX's last later offer, and what it got for it. */
  #last: { received: string; answer: string } | undefined
  #released: Promise<CallMediaReport | undefined> | undefined

  /** @throws CausewayError `MEDIA_RELAY_UNAVAILABLE` (503) */
  constructor(call: MediaCall, anchor: Anchor, random: Random, log: Logger) {
    this.#number = call.number
    this.#trunk = call.trunk
    this.#random = random
    this.#log = log.child({ call: call.id })
    this.#abilities = anchor.abilities
    this.#call = anchor.allocate(call.id, (event) => {
      if (this.#released) return
      try {
        call.listener(event)
      } catch (error) {
        this.#log.error({ err: error, event: event.type }, 'a media event was not taken')
      }
    })
    const manner = { side: 'whatsapp', events: true } as const
    this.#whatsapp = new Leg('whatsapp', this.#call, anchor.abilities, manner, random)
    this.#pbx = this.#newPbxLeg('pbx')
  }

  offer(from: Side, sdp: string | undefined): Promise<string> {
    return this.#run(async () => {
      if (this.#from) throw wrongMoment('a second first offer')
      if (from === 'pbx') return this.#offerToWhatsApp(sdp)
      if (sdp === undefined) throw new CausewayError('MEDIA_NO_OFFER')
      this.#whatsappOffer = offerOf(parseAudio(sdp), this.#abilities)
      this.#from = from
      return this.#offerToPbx()
    })
  }

  early(sdp: string): Promise<string | undefined> {
    return this.#run(async () => {
      if (this.#from !== 'whatsapp' || this.#answered) throw wrongMoment('an early answer')
      await this.#takePbxAnswer(sdp)
      return this.#number.inbound?.earlyMedia ? this.#answerWhatsApp() : undefined
    })
  }

  answer(from: Side, sdp: string): Promise<string> {
    return this.#run(async () => {
      if (this.#from === undefined || this.#from === from || this.#answered) {
        throw wrongMoment(`an answer from ${from}`)
      }
      if (from === 'whatsapp') return this.#takeWhatsAppAnswer(sdp)
      await this.#takePbxAnswer(sdp)
      const out = await this.#answerWhatsApp()
      this.#answered = true
      return out
    })
  }

  acknowledge(sdp: string): Promise<void> {
    return this.#run(async () => {
      if (!this.#awaiting) throw wrongMoment('an answer that nobody asked for')
      this.#awaiting = false
      await this.#accept(this.#pbx, sdp)
      this.#last = undefined
    })
  }

  retarget(trunk: TrunkConfig): Promise<string> {
    return this.#run(async () => {
      if (this.#from !== 'whatsapp' || this.#answered) throw wrongMoment('another trunk')
      if (this.#pbxUsed) await this.#call.drop('pbx')
      this.#pbxUsed = false
      this.#live()
      this.#taken = undefined
      this.#last = undefined
      this.#trunk = trunk
      this.#pbx = this.#newPbxLeg('pbx')
      return this.#offerToPbx()
    })
  }

  answerAlone(): Promise<string> {
    return this.#run(async () => {
      if (!this.#whatsappOffer) throw wrongMoment('an answer without an offer')
      return this.#answerWhatsApp()
    })
  }

  reoffer(sdp: string | undefined): Promise<string> {
    return this.#run(async () => {
      if (!this.#pbx.format) throw wrongMoment('a later offer before the first answer')
      if (sdp === undefined) {
        const out = await this.#offerFrom(this.#pbx)
        this.#awaiting = true
        return out
      }
      // Ours went unanswered, or a CANCEL was quicker than it: it is void.
      this.#awaiting = false
      // A session refresh; the answer may not change either (RFC 3264 §8, RFC 4028 §7.4).
      if (this.#last?.received === sdp) return this.#last.answer
      const offer = this.#received(sdp)
      const dtls = (one: Protection | undefined) => one?.keying === 'dtls'
      if (dtls(offer.protection) !== dtls(this.#pbx.protection)) {
        throw new CausewayError('MEDIA_RENEGOTIATION', {
          detail: `from ${this.#pbx.protectionName} to ${offer.audio.profile}`,
        })
      }
      const answer = await this.#answerPbx(this.#pbx, offer)
      this.#last = { received: sdp, answer }
      return answer
    })
  }

  replace(sdp: string | undefined): Promise<Replacement> {
    return this.#run(async () => {
      if (!this.#answered || !this.#pbx.format || this.#next) throw wrongMoment('another PBX leg')
      const leg = this.#newPbxLeg('next')
      const offer = sdp === undefined ? undefined : this.#received(sdp)
      this.#next = leg
      try {
        const out = offer ? await this.#answerPbx(leg, offer) : await this.#offerFrom(leg)
        return {
          sdp: out,
          commit: (answer) => this.#commit(leg, answer, offer !== undefined),
          abandon: () => this.#queue.run(() => this.#dropNext(leg)),
        }
      } catch (error) {
        await this.#dropNext(leg)
        throw error
      }
    })
  }

  start(): void {
    if (!this.#released) this.#call.start()
  }

  play(to: Side, playback: Playback | undefined): Promise<void> {
    return this.#run(() => this.#call.play(to, playback))
  }

  get agreed(): MediaSummary | undefined {
    const { format: whatsapp, protectionName: towardsWhatsApp } = this.#whatsapp
    const { format: pbx, protectionName: towardsPbx } = this.#pbx
    if (!this.#answered || !whatsapp || !pbx || !towardsWhatsApp || !towardsPbx) return undefined
    return {
      codec: { whatsapp, pbx },
      srtp: { whatsapp: towardsWhatsApp, pbx: towardsPbx },
    }
  }

  async query(): Promise<CallMediaReport | undefined> {
    if (this.#released) return undefined
    try {
      return await this.#call.query()
    } catch (error) {
      this.#log.debug({ err: error }, 'no media figures')
      return undefined
    }
  }

  release(): Promise<CallMediaReport | undefined> {
    this.#released ??= this.#call.release().catch((error: unknown) => {
      this.#log.warn({ err: error }, 'media was not released cleanly')
      return undefined
    })
    return this.#released
  }

  /** Runs an operation in turn; none begins or goes on after the release. */
  #run<T>(operation: () => Promise<T>): Promise<T> {
    return this.#queue.run(async () => {
      this.#live()
      const result = await operation()
      this.#live()
      return result
    })
  }

  #live(): void {
    if (this.#released) throw wrongMoment('the call is over')
  }

  #newPbxLeg(id: LegId): Leg {
    const manner = { side: 'pbx', events: hasEvents(this.#trunk) } as const
    return new Leg(id, this.#call, this.#abilities, manner, this.#random)
  }

  #trunkFormats(): Format[] {
    return formatsOf(this.#trunk.media.codecs)
  }

  /** Formats WhatsApp's leg has, or can have while it is not settled. */
  #whatsappFormats(): Format[] {
    if (this.#whatsapp.format) return [this.#whatsapp.format]
    return this.#whatsappOffer ? formatsIn(this.#whatsappOffer.audio) : this.#whatsapp.offered
  }

  #whatsappSide(): WhatsAppSide {
    const { remote, codecs, opusParameters } = this.#whatsapp
    const offer = this.#whatsappOffer
    if (remote || !offer)
      return { formats: this.#whatsappFormats(), codecs, remote, opusParameters }
    const opus = offer.audio.codecs.find((codec) => formatOf(codec) === 'opus')
    return {
      formats: this.#whatsappFormats(),
      codecs: offer.audio.codecs,
      remote: narrowed(offer.audio, offer.protection, undefined),
      opusParameters: opus?.fmtp,
    }
  }

  /** Reads an offer of the PBX and decides how it is protected. */
  #received(sdp: string): Received {
    const audio = parseAudio(sdp)
    const { srtp } = this.#trunk.media
    return { audio, protection: protectionOfPbxOffer(audio, srtp, this.#abilities) }
  }

  /** The first offer to WhatsApp; `sdp` undefined: the PBX wants ours later. */
  async #offerToWhatsApp(sdp: string | undefined): Promise<string> {
    const offer = sdp === undefined ? undefined : this.#received(sdp)
    const plan = planForWhatsApp(this.#trunk, this.#number, offer, this.#abilities)
    this.#pbxOffer = offer
    this.#from = 'pbx'
    return this.#whatsapp.offer(plan)
  }

  #offerToPbx(): Promise<string> {
    this.#pbxUsed = true
    return this.#offerFrom(this.#pbx)
  }

  /** Our offer to the PBX on one of its legs. */
  async #offerFrom(leg: Leg): Promise<string> {
    return leg.offer(planForPbx(this.#trunk, leg, this.#whatsappSide(), this.#abilities))
  }

  /** Takes the PBX's answer to the first offer, early or final; one it repeats changes nothing. */
  async #takePbxAnswer(sdp: string): Promise<void> {
    if (this.#taken === sdp) return
    await this.#accept(this.#pbx, sdp)
    this.#taken = sdp
    this.#live()
  }

  async #accept(leg: Leg, sdp: string): Promise<void> {
    await leg.accept(parseAudio(sdp), (answer, offered) =>
      answeredByPbx(
        usableFormats(answer, offered),
        this.#whatsappFormats(),
        this.#abilities.transcodes,
      ),
    )
  }

  /** Answers WhatsApp's offer, once. */
  async #answerWhatsApp(): Promise<string> {
    if (this.#whatsappSdp !== undefined) return this.#whatsappSdp
    const offer = this.#whatsappOffer!
    const { transcodes } = this.#abilities
    const format = answerForWhatsApp(formatsIn(offer.audio), this.#pbx.format, transcodes)
    const plan = { format, opusParameters: undefined, external: true }
    this.#whatsappSdp = await this.#whatsapp.answer(offer, plan)
    return this.#whatsappSdp
  }

  async #takeWhatsAppAnswer(sdp: string): Promise<string> {
    const answer = parseWhatsAppAnswer(sdp)
    await whatsAppAnswer(() =>
      this.#whatsapp.accept(answer, (audio, offered) => {
        const format = formatsIn(audio).find((one) => offered.includes(one))
        if (format) return format
        throw new CausewayError('MEDIA_NO_COMMON_CODEC')
      }),
    )
    this.#live()
    const out = this.#pbxOffer
      ? await this.#answerPbx(this.#pbx, this.#pbxOffer)
      : await this.#offerToPbx()
    this.#awaiting = this.#pbxOffer === undefined
    this.#answered = true
    return out
  }

  async #answerPbx(leg: Leg, offer: Received): Promise<string> {
    const trunk = this.#trunkFormats()
    const usable = usableFormats(offer.audio, trunk)
    const { transcodes, renumbers } = this.#abilities
    const { format: whatsapp, opusParameters, codecs } = this.#whatsapp
    // An UPDATE may come before WhatsApp's leg is settled.
    const format = whatsapp
      ? answerForPbx(usable, trunk, whatsapp, transcodes)
      : answeredByPbx(usable, this.#whatsappFormats(), transcodes)
    if (!renumbers) demandNumbers(codecFor(offer.audio, format), codecs)
    const external = reachedExternally(this.#trunk, offer.audio)
    return leg.answer(offer, { format, opusParameters, external })
  }

  #commit(leg: Leg, answer: string | undefined, answeredByUs: boolean): Promise<void> {
    return this.#run(async () => {
      if (this.#next !== leg) throw wrongMoment('a replacement that has ended')
      try {
        if (!answeredByUs) {
          if (answer === undefined) throw wrongMoment('a replacement without its answer')
          await this.#accept(leg, answer)
          this.#live()
        }
        await this.#call.promote()
      } catch (error) {
        await this.#dropNext(leg)
        throw error
      }
      leg.id = 'pbx'
      this.#pbx = leg
      this.#next = undefined
      this.#awaiting = false
      this.#last = undefined
    })
  }

  /** Gives a replacement up; one that has ended already is left alone. Never rejects. */
  async #dropNext(leg: Leg): Promise<void> {
    if (this.#next !== leg) return
    this.#next = undefined
    if (this.#released) return
    await this.#call
      .drop('next')
      .catch((error: unknown) => this.#log.debug({ err: error }, 'replacement leg not dropped'))
  }
}

function wrongMoment(detail: string): CausewayError {
  return new CausewayError('MEDIA_STATE', { detail })
}
