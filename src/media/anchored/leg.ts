import type { Random } from '../../shared/random.ts'
import type {
  AnchorAbilities,
  AnchorCall,
  Keying,
  LegId,
  LegMedia,
  LegShape,
} from '../anchor/types.ts'
import { intendedDirection, mirrored } from '../sdp/direction.ts'
import type { AudioDescription, Codec, Crypto } from '../sdp/types.ts'
import { DescriptionWriter } from '../sdp/writer.ts'
import { codecFor, eventIn, PTIME } from './rules/codecs.ts'
import { describe, type Places, placesOf } from './rules/describe.ts'
import { type Format, formatOf, withParameters } from './rules/formats.ts'
import {
  narrowed,
  offeredSuites,
  type Protection,
  protectionName,
  protectionOfAnswer,
  roleByAnswer,
  roleFor,
} from './rules/keying.ts'
import { type OfferPlan, PBX_EVENTS, type Received } from './rules/plans.ts'

/** How a leg writes its descriptions. */
export interface LegManner {
  /** WhatsApp hears of no hold: always `sendrecv`. */
  side: 'whatsapp' | 'pbx'
  /** Whether the leg has RFC 4733 events; they are reported or INFO otherwise. */
  events: boolean
}

/** What an answer of ours shall be like. */
export interface AnswerPlan {
  format: Format
  /** Instead of our own, where packets pass through. */
  opusParameters: string | undefined
  external: boolean
}

/** An offer of ours that waits for its answer, or has it. */
interface OurOffer {
  keying: Keying
  lines: readonly Crypto[]
  codecs: readonly Codec[]
  places: Places
}

/** What offer and answer have come to. */
interface Settled {
  remote: AudioDescription
  protection: Protection
  format: Format
  media: LegMedia
  places: Places
  role: 'active' | 'passive'
  /** Formats by the numbers both sides know, ours and theirs. */
  codecs: readonly Codec[]
}

/**
 * Our end of one leg at the anchor: turns decisions of the rules into shapes and formats, and what
 * the anchor gives into SDP. State changes only after the anchor has agreed.
 */
export class Leg {
  id: LegId
  readonly #call: AnchorCall
  readonly #abilities: AnchorAbilities
  readonly #manner: LegManner
  readonly #writer: DescriptionWriter
  #ours: OurOffer | undefined
  #settled: Settled | undefined

  constructor(
    id: LegId,
    call: AnchorCall,
    abilities: AnchorAbilities,
    manner: LegManner,
    random: Random,
  ) {
    this.id = id
    this.#call = call
    this.#abilities = abilities
    this.#manner = manner
    this.#writer = new DescriptionWriter(random)
  }

  /** The audio format agreed on; undefined before. */
  get format(): Format | undefined {
    return this.#settled?.format
  }

  /** What the remote has said, once settled. */
  get remote(): AudioDescription | undefined {
    return this.#settled?.remote
  }

  get protection(): Protection | undefined {
    return this.#settled?.protection
  }

  /** Protection as a record names it; undefined before it is settled. */
  get protectionName(): string | undefined {
    return this.#settled && protectionName(this.#settled.protection)
  }

  /** The remote's Opus parameters, for the other leg's description when packets pass through. */
  get opusParameters(): string | undefined {
    const { format, media } = this.#settled ?? {}
    return format === 'opus' ? media?.audio.fmtp : undefined
  }

  /** Places to keep in a later offer of ours. */
  get places(): Places | undefined {
    return this.#settled?.places
  }

  /** Formats by the numbers both sides know, of the last offer and answer. */
  get codecs(): readonly Codec[] {
    return this.#settled?.codecs ?? []
  }

  /** Makes our offer; a former one that was not answered is void. */
  async offer(plan: OfferPlan): Promise<string> {
    const { keying, profile, suites, rtcpMux, codecs, places, external } = plan
    const setup = keying === 'dtls' ? 'actpass' : undefined
    const shape: LegShape = {
      keying,
      suites,
      cryptoTag: undefined,
      rtcpMux,
      setup,
      codecs,
      external,
    }
    const transport = await this.#call.offer(this.id, shape, plan.peer)
    this.#ours = { keying, lines: transport.crypto, codecs, places }
    return this.#writer.write(
      describe(transport, {
        keying,
        profile,
        codecs,
        direction: 'sendrecv',
        places,
        named: this.#named(keying),
      }),
    )
  }

  /** The audio formats of our offer. */
  get offered(): Format[] {
    const formats = this.#ours?.codecs.map(formatOf) ?? []
    return formats.filter((format) => format !== undefined)
  }

  /**
   * Takes the answer to our offer; it may come again and differ.
   * @param choose the audio format of the answer that the leg gets
   */
  async accept(
    answer: AudioDescription,
    choose: (answer: AudioDescription, offered: Format[]) => Format,
  ): Promise<void> {
    const ours = this.#ours!
    const protection = protectionOfAnswer(answer, ours.keying, ours.lines, this.#abilities)
    const format = choose(answer, this.offered)
    const role = roleByAnswer(answer)
    const remote = narrowed(answer, protection, ours.keying === 'dtls' ? role : undefined)
    const audio = codecFor(answer, format)
    const media: LegMedia = {
      audio,
      accepts: acceptable(ours.codecs, answer, audio),
      event: this.#manner.events ? eventIn(answer) : undefined,
      ptime: PTIME,
      direction: this.#direction(answer),
    }
    await this.#call.accept(this.id, remote, media)
    const codecs = [...answer.codecs, ...ours.codecs]
    const { places } = ours
    this.#settled = { remote, protection, format, media, places, role, codecs }
  }

  /** Answers an offer, the first or a later one. */
  async answer({ audio: offer, protection }: Received, plan: AnswerPlan): Promise<string> {
    const { format, external } = plan
    const { keying, crypto } = protection
    const before = this.#settled && { dtls: this.#settled.remote.dtls, role: this.#settled.role }
    const role = keying === 'dtls' ? roleFor(offer, before) : 'active'
    const audio = codecFor(offer, format)
    const event = this.#manner.events ? eventIn(offer) : undefined
    const codecs = [withParameters(audio, plan.opusParameters)]
    if (event) codecs.push({ ...event, fmtp: this.#manner.side === 'pbx' ? PBX_EVENTS : undefined })
    const shape: LegShape = {
      keying,
      suites: offeredSuites(this.#abilities).filter((suite) => suite === crypto?.suite),
      cryptoTag: crypto?.tag,
      rtcpMux: offer.rtcpMux,
      setup: keying === 'dtls' ? role : undefined,
      codecs,
      external,
    }
    const direction = this.#direction(offer)
    const media: LegMedia = { audio, accepts: [], event, ptime: PTIME, direction }
    const remote = narrowed(offer, protection, undefined)
    const transport = await this.#call.answer(this.id, remote, shape, media)
    const places = placesOf(offer)
    this.#ours = undefined
    this.#settled = { remote, protection, format, media, places, role, codecs: offer.codecs }
    return this.#writer.write(
      describe(transport, {
        keying,
        profile: offer.profile,
        codecs,
        direction,
        places,
        named: this.#named(keying),
      }),
    )
  }

  #direction(remote: AudioDescription): LegMedia['direction'] {
    return this.#manner.side === 'whatsapp' ? 'sendrecv' : mirrored(intendedDirection(remote))
  }

  #named(keying: Keying): boolean {
    return this.#manner.side === 'whatsapp' || keying === 'dtls'
  }
}

/**
 * What the remote may send beside the format chosen: whatever we offered and it kept, and the
 * number we offered when it answers with another of its own (RFC 3264 §5.1 allows both).
 */
function acceptable(ours: readonly Codec[], answer: AudioDescription, audio: Codec): Codec[] {
  const kept = answer.codecs.map(formatOf)
  return ours.filter((codec) => {
    const format = formatOf(codec)
    return format !== undefined && kept.includes(format) && codec.payloadType !== audio.payloadType
  })
}
