import type { Test } from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import type { MediaVerdict } from '../../src/simulator/index.ts'
import type { PbxCall, PlaceOptions } from '../../src/simulator/toy-pbx/index.ts'
import { until } from './until.ts'
import type { WholeLab } from './whole-lab.ts'

/** WhatsApp's side of a call. */
type WhatsAppCall = ReturnType<WholeLab['simulator']['sip']['placeCall']>

/** Milliseconds without a packet at WhatsApp that are put down to a busy machine. */
const GAP = 2000

/** How a call is placed. */
export interface TalkOptions extends PlaceOptions {
  /** `in`: the WhatsApp user calls; `out`: the PBX does. */
  direction: 'in' | 'out'
  /** Name of the number. */
  number: string
}

/** What is expected of a call that is over. */
export interface Expectation {
  /** Default `good`. */
  verdict?: string
  /** Code of the end. Default NORMAL. */
  code?: string
  /** Codes of the verdicts there were. Default none. */
  verdicts?: string[]
}

/** The digits one side has heard. */
export function digitsOf({ received }: MediaVerdict): string {
  return received.digits.map(({ digit }) => digit).join('')
}

let consumers = 0
/** Calls are set up one after the other, so that none is timed while others shake hands. */
let settingUp: Promise<unknown> = Promise.resolve()

/** One call through a whole lab, as WhatsApp, the PBX and Causeway see it. */
export class Talk {
  readonly consumer: string
  readonly whatsapp: WhatsAppCall
  /** Changes with a transfer. */
  pbx: PbxCall
  readonly #lab: WholeLab
  readonly #what: string

  private constructor(lab: WholeLab, options: TalkOptions, parts: [WhatsAppCall, PbxCall, string]) {
    const [whatsapp, pbx, consumer] = parts
    this.#lab = lab
    this.#what = `${options.direction} ${options.number}`
    this.whatsapp = whatsapp
    this.pbx = pbx
    this.consumer = consumer
  }

  /** Places a call and waits until both sides hear each other. */
  static talk(lab: WholeLab, options: TalkOptions): Promise<Talk> {
    const talk = settingUp.then(async () => {
      const talk = await Talk.place(lab, options)
      await talk.answered()
      return talk
    })
    settingUp = talk.catch(() => {})
    return talk.then(async (talk) => {
      await talk.heard()
      return talk
    })
  }

  /** Places a call with a consumer of its own and waits until it rings, or is over. */
  static async place(lab: WholeLab, options: TalkOptions): Promise<Talk> {
    const consumer = `+33199${String(++consumers).padStart(6, '0')}`
    const business = lab.phoneNumber(options.number)
    const { sip, store } = lab.simulator
    if (options.direction === 'in') {
      const whatsapp = sip.placeCall({ from: consumer, to: business })
      const find = (): PbxCall | undefined => lab.pbx.calls.find(({ from }) => from === consumer)
      await until('a call at the PBX', () => find() !== undefined)
      return new Talk(lab, options, [whatsapp, find()!, consumer])
    }
    sip.consumers.update(consumer, { script: { action: 'answer', after: 50 } })
    store.grantPermission(store.lookupNumberByPhone(business)!, consumer, true)
    const arriving = sip.calls.next((call) => call.consumer === consumer.slice(1))
    const pbx = lab.pbx.call(consumer, { ...options, from: business })
    return new Talk(lab, options, [await arriving, pbx, consumer])
  }

  /** Waits until both ends are answered. */
  async answered(): Promise<void> {
    const { whatsapp } = this
    await until(`${this.#what}: the answer`, () => {
      if (whatsapp.state === 'ended') throw new Error(`${this.#what}: ${whatsapp.outcome?.reason}`)
      if (this.pbx.state === 'ended') throw new Error(`${this.#what}: ${this.pbx.reason}`)
      return whatsapp.state === 'answered' && this.pbx.state === 'answered'
    })
  }

  /** What WhatsApp's user heard and sent so far. */
  get atWhatsApp(): MediaVerdict {
    return this.whatsapp.media!.verdict()
  }

  /** What the PBX heard and sent so far. */
  get atPbx(): MediaVerdict {
    return this.pbx.media!
  }

  /** Waits until each side has heard `ms` milliseconds more of what the other one plays. */
  async heard(ms = 240): Promise<void> {
    await Promise.all([
      this.whatsappHears(this.atPbx.sent.frequency, ms),
      this.pbxHears(this.atWhatsApp.sent.frequency, ms),
    ])
  }

  whatsappHears(frequency: number, ms = 240): Promise<void> {
    return this.#hears('WhatsApp', () => this.atWhatsApp, frequency, ms)
  }

  pbxHears(frequency: number, ms = 240): Promise<void> {
    return this.#hears('the PBX', () => this.atPbx, frequency, ms)
  }

  /** Waits until WhatsApp has heard `ms` milliseconds more of silence. */
  async whatsappHearsSilence(ms = 300): Promise<void> {
    const before = this.atWhatsApp.received.silence
    await this.#wait(`silence at WhatsApp`, () => this.atWhatsApp.received.silence >= before + ms)
  }

  /** Causeway's record. */
  get record(): CallRecord {
    return this.#lab.record(this.consumer)!
  }

  /** One side hangs up; all of them notice, and the last figures are there. */
  async end(by: 'whatsapp' | 'pbx'): Promise<CallRecord> {
    if (by === 'whatsapp') this.#lab.simulator.sip.hangup(this.whatsapp.id)
    else this.pbx.hangup()
    return this.ended()
  }

  /** Waits for the end. */
  async ended(): Promise<CallRecord> {
    await until(`${this.#what}: the end`, () => {
      return this.whatsapp.state === 'ended' && this.pbx.state === 'ended'
    })
    await until(`${this.#what}: the figures`, () => this.record.report !== undefined)
    return this.record
  }

  /** One side hangs up, and the whole call was as WhatsApp demands it. */
  async finish(t: Test, by: 'whatsapp' | 'pbx', expected: Expectation = {}): Promise<CallRecord> {
    const record = await this.end(by)
    this.judge(t, record, expected)
    return record
  }

  /** Holds an ended call against the promises. */
  judge(t: Test, record: CallRecord, expected: Expectation = {}): void {
    const { verdict = 'good', code = 'NORMAL', verdicts = [] } = expected
    const say = (what: string): string => `${this.#what}: ${what}`
    t.same(this.whatsapp.violations, [], say('no rule is broken'))
    const { promises, received, rejected } = this.atWhatsApp
    t.same(promises?.broken, {}, say('no promise is broken'))
    t.equal(received.ssrcs.length, 1, say('one SSRC'))
    t.same(Object.keys(promises?.frames ?? {}), ['20'], say('packets of 20 ms'))
    const { unknownPayloads, undecodable } = received
    const understood = { unknownPayloads: 0, undecodable: 0 }
    t.match(
      { unknownPayloads, undecodable, rejected },
      { ...understood, rejected: 0 },
      say('all is understood'),
    )
    t.match(this.atPbx.received, understood, say('all is understood by the PBX'))
    const { firstPacket, longestGap = Number.POSITIVE_INFINITY, stalled = 0 } = promises ?? {}
    const figures = `longest gap ${longestGap} ms, first packet ${firstPacket} ms, stalled ${stalled} ms`
    t.ok(longestGap <= GAP + stalled, say(figures))
    t.equal(record.cause?.code, code, say(record.cause?.text ?? 'not ended'))
    const { report } = record
    t.equal(report?.verdict, verdict, say(`media ${report?.verdict}`))
    const seen = report?.verdicts ?? []
    const details = seen.map(({ detail, clearedAt }) => `${detail}${clearedAt ? ', cleared' : ''}`)
    const codes = seen.map((one) => one.code)
    t.same(codes, verdicts, say(`verdicts: ${details.join('; ') || 'none'}`))
  }

  async #hears(
    who: string,
    media: () => MediaVerdict,
    frequency: number,
    ms: number,
  ): Promise<void> {
    const heard = (): number =>
      media().received.tones?.find((tone) => Math.abs(tone.frequency - frequency) <= 10)?.ms ?? 0
    const before = heard()
    await this.#wait(`${frequency} Hz at ${who}`, () => heard() >= before + ms).catch((error) => {
      const { tones = [], packets, silence, other } = media().received
      const rest = tones.map((tone) => `${tone.frequency} Hz ${tone.ms} ms`).join(', ')
      throw new Error(
        `${(error as Error).message}; ${packets} packets, ${rest}, silence ${silence}, other ${other}`,
      )
    })
  }

  #wait(what: string, holds: () => boolean): Promise<void> {
    return until(`${this.#what}: ${what}`, () => {
      if (this.whatsapp.state !== 'ended') return holds()
      throw new Error(`${this.#what}: the call has ended: ${this.whatsapp.outcome?.reason}`)
    })
  }
}
