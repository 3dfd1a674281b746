import type { NumberConfig, TrunkConfig } from '../config/types.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Random } from '../shared/random.ts'
import type { CallMediaReport } from './anchor/report.ts'
import type { AnchorStatus } from './anchor/types.ts'
import { answerToPbx, offerToWhatsApp } from './rules/business-initiated.ts'
import { allowedCodecs } from './rules/checks.ts'
import { answerReoffer } from './rules/reoffer.ts'
import { answerToWhatsApp, offerToPbx } from './rules/user-initiated.ts'
import { parseAudio } from './sdp/parse.ts'
import type { AudioDescription } from './sdp/types.ts'
import { DescriptionWriter } from './sdp/writer.ts'
import type { MediaRelay, MediaSession, MediaSummary, Replacement, Side } from './session.ts'

const STATUS: AnchorStatus = {
  available: true,
  detail: 'SDP passed through',
  calls: 0,
  instances: [],
  ports: undefined,
  transcoding: undefined,
  totals: {},
}

/**
 * The relay that relays nothing: SDES offers and answers are passed through, shaped to WhatsApp's
 * rules, and packets flow between WhatsApp and the PBX directly.
 */
export function createNoneRelay(random: Random): MediaRelay {
  let calls = 0
  return {
    kind: 'none',
    status: () => ({ ...STATUS, calls }),
    allocate: ({ trunk, number }) => {
      calls++
      return new NoneSession(trunk, number, random, () => calls--)
    },
    close: async () => {},
  }
}

class NoneSession implements MediaSession {
  #trunk: TrunkConfig
  readonly #number: NumberConfig
  readonly #random: Random
  readonly #writers: Record<Side, DescriptionWriter>
  #offerFrom: Side | undefined
  #offerReceived: AudioDescription | undefined
  #offerSent: AudioDescription | undefined
  /** The PBX's own description, and what it was told of WhatsApp's, once settled. */
  #pbx: AudioDescription | undefined
  #toPbx: AudioDescription | undefined
  #release: (() => void) | undefined
  agreed: MediaSummary | undefined

  constructor(trunk: TrunkConfig, number: NumberConfig, random: Random, released: () => void) {
    this.#release = released
    this.#trunk = trunk
    this.#number = number
    this.#random = random
    this.#writers = {
      whatsapp: new DescriptionWriter(random),
      pbx: new DescriptionWriter(random),
    }
  }

  async offer(from: Side, sdp: string | undefined): Promise<string> {
    if (sdp === undefined) throw new CausewayError('MEDIA_NO_OFFER')
    const received = parseAudio(sdp)
    const sent =
      from === 'whatsapp'
        ? offerToPbx(received, this.#trunk.media.codecs)
        : offerToWhatsApp(received, this.#allowed())
    this.#offerFrom = from
    this.#offerReceived = received
    this.#offerSent = sent
    return this.#writers[from === 'whatsapp' ? 'pbx' : 'whatsapp'].write(sent)
  }

  async answer(from: Side, sdp: string): Promise<string> {
    const received = this.#offerReceived
    const sent = this.#offerSent
    if (!received || !sent || this.#offerFrom === from) {
      throw new CausewayError('MEDIA_STATE', {
        detail: `an answer from ${from} without an offer to it`,
      })
    }
    const answer = parseAnswer(from, sdp)
    if (from === 'pbx') {
      const out = answerToWhatsApp(answer, sent, received)
      this.#settle(answer, sent, out)
      return this.#writers.whatsapp.write(out)
    }
    const out = answerToPbx(answer, sent, received)
    this.#settle(received, out, out)
    return this.#writers.pbx.write(out)
  }

  async reoffer(sdp: string | undefined): Promise<string> {
    const pbx = this.#pbx
    const ours = this.#toPbx
    if (!pbx || !ours)
      throw new CausewayError('MEDIA_STATE', { detail: 'a new offer before the answer' })
    const out = sdp === undefined ? ours : answerReoffer(parseAudio(sdp), pbx, ours)
    return this.#writers.pbx.write(out)
  }

  /** An early answer stays with the PBX leg: the final one settles. */
  async early(): Promise<undefined> {}

  async acknowledge(sdp: string): Promise<void> {
    const pbx = this.#pbx
    const ours = this.#toPbx
    if (!pbx || !ours) {
      throw new CausewayError('MEDIA_STATE', { detail: 'an answer that nobody asked for' })
    }
    answerReoffer(parseAudio(sdp), pbx, ours)
  }

  async retarget(trunk: TrunkConfig): Promise<string> {
    const received = this.#offerReceived
    if (!received || this.#offerFrom !== 'whatsapp') {
      throw new CausewayError('MEDIA_STATE', { detail: 'another trunk without an open offer' })
    }
    const sent = offerToPbx(received, trunk.media.codecs)
    this.#writers.pbx = new DescriptionWriter(this.#random)
    this.#trunk = trunk
    this.#offerSent = sent
    return this.#writers.pbx.write(sent)
  }

  async answerAlone(): Promise<string> {
    throw new CausewayError('MEDIA_NEEDS_RELAY', { detail: 'an answer before the PBX’s' })
  }

  async replace(): Promise<Replacement> {
    throw new CausewayError('MEDIA_NEEDS_RELAY', { detail: 'another leg for the PBX' })
  }

  start(): void {}

  async play(): Promise<void> {}

  async query(): Promise<undefined> {}

  async release(): Promise<CallMediaReport | undefined> {
    this.#release?.()
    this.#release = undefined
    this.#offerReceived = undefined
    this.#offerSent = undefined
    this.#pbx = undefined
    this.#toPbx = undefined
    return undefined
  }

  #allowed(): string[] {
    const additional = this.#number.calling.audio?.additional_codecs ?? []
    return allowedCodecs(this.#trunk.media.codecs, additional)
  }

  #settle(pbx: AudioDescription, toPbx: AudioDescription, answer: AudioDescription): void {
    const codec = answer.codecs[0]!
    this.#pbx = pbx
    // The PBX was offered more than was settled; a later answer names the settled codec alone.
    this.#toPbx = {
      ...toPbx,
      codecs: toPbx.codecs.filter((own) =>
        answer.codecs.some((c) => c.payloadType === own.payloadType),
      ),
    }
    this.#offerReceived = undefined
    this.#offerSent = undefined
    const suite = answer.crypto[0]!.suite
    this.agreed = {
      codec: { whatsapp: codec.name, pbx: codec.name },
      srtp: { whatsapp: suite, pbx: suite },
    }
  }
}

function parseAnswer(from: Side, sdp: string): AudioDescription {
  try {
    return parseAudio(sdp)
  } catch (cause) {
    if (from === 'pbx') throw cause
    const detail = cause instanceof CausewayError ? cause.message : undefined
    throw new CausewayError('MEDIA_ANSWER_WHATSAPP', { cause, ...(detail ? { detail } : {}) })
  }
}
