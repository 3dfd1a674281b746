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
import { type NgDictionary, NgError, NgTimeout } from './client.ts'
import {
  asAnswer,
  asOffer,
  keyingOf,
  nobody,
  offerFlags,
  shaped,
  toNg,
  transportOf,
} from './describe.ts'
import type { RtpengineInstance } from './instance.ts'
import { Watch } from './watch.ts'

/** How often a call is looked at, milliseconds. */
const LOOK = 3000

/** A PBX leg as rtpengine knows it. */
interface PbxLeg {
  readonly tag: string
  shape: LegShape | undefined
  remote: AudioDescription | undefined
  media: LegMedia | undefined
  /** With all of rtpengine's crypto lines and its own tags. */
  transport: LegTransport | undefined
}

/** What a call needs of its relay. */
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
  #instance: RtpengineInstance | undefined
  #listener: ((event: MediaEvent) => void) | undefined
  #whatsapp: AudioDescription | undefined
  #toWhatsApp: LegTransport | undefined
  #pbx: PbxLeg
  #next: PbxLeg | undefined
  #tags = 0
  #timer: Timer | undefined
  #released: Promise<CallMediaReport | undefined> | undefined

  constructor(id: string, listener: (event: MediaEvent) => void, context: RtpengineCallContext) {
    this.id = id
    this.#context = context
    this.#listener = listener
    this.#pbx = this.#newLeg()
    this.#watch = new Watch(context.clock, (event) => this.#listener?.(event))
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
    if (leg === 'next') this.#next ??= this.#newLeg()
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
        flags: ['port latching'],
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
    if (leg === 'next') this.#next ??= this.#newLeg()
    const pbx = this.#leg(leg)
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
    this.#pbx = this.#newLeg()
    if (this.#whatsapp) await this.#alone(undefined)
  }

  /** rtpengine forwards what comes; there is nothing to wait for. */
  start(): void {}

  async play(leg: LegId, playback: Playback | undefined): Promise<void> {
    const tag = leg === 'whatsapp' ? 'whatsapp' : this.#leg(leg).tag
    if (!playback) {
      await this.#ask('stop media', { 'from-tag': tag })
      return
    }
    const repeat: NgDictionary = playback.loop ? { 'repeat-times': 100_000 } : {}
    await this.#ask('play media', { 'from-tag': tag, file: playback.file, ...repeat })
  }

  async query(): Promise<CallMediaReport> {
    const reply = await this.#ask('query', {})
    return this.#watch.report(reply, this.#pbx.tag)
  }

  release(): Promise<CallMediaReport | undefined> {
    this.#released ??= this.#release()
    return this.#released
  }

  /** Its instance is gone: tells the call's owner once. */
  lose(detail: string): void {
    this.#timer?.clear()
    const listener = this.#listener
    this.#listener = undefined
    listener?.({ type: 'ended', error: new CausewayError('MEDIA_RELAY_LOST', { detail }) })
  }

  async #release(): Promise<CallMediaReport | undefined> {
    this.#timer?.clear()
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
      const party = peer ? asAnswerable(peer) : nobody(shape.codecs, 'none')
      const reply = await this.#ask('offer', {
        'from-tag': pbx.tag,
        sdp: toNg(party),
        ...offerFlags(shape, party.codecs),
      })
      this.#toWhatsApp = transportOf(reply)
      return shaped(this.#toWhatsApp, shape)
    }
    this.#whatsapp = nobody(shape.codecs, shape.keying)
    if (!peer) {
      await this.#alone(shape)
      return shaped(this.#toWhatsApp!, shape)
    }
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
      ...offerFlags(pbx.shape!, whatsapp.codecs),
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
      flags: ['port latching'],
      'rtcp-mux': ['accept'],
    })
    this.#toWhatsApp = transportOf(reply)
  }

  /** WhatsApp's leg without anybody at the other end. */
  async #alone(shape: LegShape | undefined): Promise<void> {
    const codecs = shape?.codecs ?? this.#whatsapp!.codecs
    const none: LegShape = {
      keying: 'none',
      suites: [],
      cryptoTag: undefined,
      rtcpMux: false,
      setup: undefined,
      codecs,
      external: false,
    }
    const leg = this.#newLeg()
    leg.shape = none
    leg.remote = { ...nobody(codecs, 'none'), direction: 'inactive' }
    await this.#offerPbx(leg)
    await this.#answerPbx(leg)
  }

  #leg(leg: LegId): PbxLeg {
    return leg === 'next' ? (this.#next ?? this.#pbx) : this.#pbx
  }

  #newLeg(): PbxLeg {
    const tag = `pbx${this.#tags++}`
    return { tag, shape: undefined, remote: undefined, media: undefined, transport: undefined }
  }

  /** Looks at the packet counters now and then. */
  #look(): void {
    if (this.#timer || !this.#listener) return
    this.#timer = this.#context.clock.setTimeout(() => {
      this.#timer = undefined
      this.query()
        .then((report) => this.#watch.judge(report))
        .catch((error: unknown) => {
          const lost = isCausewayError(error) && error.code === 'MEDIA_RELAY_LOST'
          if (lost) this.lose(error.detail ?? 'unknown to rtpengine')
        })
        .finally(() => this.#look())
    }, LOOK)
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
        const reply = await instance.request(command, { ...parameters, 'call-id': this.id })
        if (fresh) {
          this.#instance = instance
          instance.calls++
        }
        return reply
      } catch (error) {
        tried.add(instance)
        failure = coded(error, instance)
        if (!fresh) throw failure
      }
    }
  }
}

/** A PBX's offer as rtpengine takes it: keys on plain RTP count as SDES. */
function asAnswerable(peer: AudioDescription): AudioDescription {
  return { ...peer, direction: 'sendrecv' }
}

function coded(error: unknown, { name }: RtpengineInstance): unknown {
  if (error instanceof NgTimeout) {
    return new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail: `${name}: ${error.message}` })
  }
  if (!(error instanceof NgError)) return error
  const detail = `${name}: ${error.message}`
  if (/unknown call/i.test(error.message)) return new CausewayError('MEDIA_RELAY_LOST', { detail })
  if (/port/i.test(error.message)) return new CausewayError('MEDIA_PORTS_EXHAUSTED', { detail })
  if (/playback/i.test(error.message)) return new CausewayError('MEDIA_FILE_INVALID', { detail })
  return new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail })
}
