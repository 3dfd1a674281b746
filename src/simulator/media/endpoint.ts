import type { Timer } from '../../shared/clock.ts'
import { toneLoop } from './codec.ts'
import type { MediaChange, MediaEndpointOptions } from './endpoint-options.ts'
import { PromiseWatch } from './promises.ts'
import { Receiver } from './receiver.ts'
import { RtcpReporter } from './rtcp.ts'
import type { RtpHeader } from './rtp-socket.ts'
import { commonFormats } from './rules.ts'
import {
  type CodecName,
  type Direction,
  type NamedFormat,
  type RemoteAudio,
  readAudio,
  SdpError,
} from './sdp.ts'
import { type LocalAudio, pbxSdp, whatsappSdp } from './sdp-write.ts'
import { Sender, type SentFormat } from './sender.ts'
import { type MediaTransport, openTransport } from './transport.ts'
import { HEARD, type MediaVerdict, NOTHING, silenceShare } from './verdict.ts'

/** Milliseconds by which UDP may overtake the 200 that went before it. */
const RACE = 250

/** One end of a call's audio: an SDP offer or answer, then a tone sent and the other one measured. */
export class MediaEndpoint {
  readonly #options: MediaEndpointOptions
  readonly #transport: MediaTransport
  readonly #local: LocalAudio
  readonly #reporter: RtcpReporter
  #codecs: readonly CodecName[]
  readonly #watch: PromiseWatch | undefined
  #receiver: Receiver | undefined
  #sender: Sender | undefined
  /** What is sent, by codec and payload types. */
  #sent: (NamedFormat & { telephoneEvent: number }) | undefined
  #frequency: number | undefined
  /** What we want of the stream: less than sendrecv while we hold. */
  #direction: Direction = 'sendrecv'
  #former: { local: LocalAudio; codecs: readonly CodecName[]; direction: Direction } | undefined
  #types: { opus: number; telephoneEvent: number } | undefined
  /** Both sides take RTCP on the RTP port (RFC 5761); there is no other port for it here. */
  #muxed = false
  #early: number | undefined
  #earlyBy: number | undefined
  #earlyTimer: Timer | undefined
  #startedAt: number | undefined
  #closed = false

  private constructor(options: MediaEndpointOptions, transport: MediaTransport) {
    const { random, clock, codecs, dialect } = options
    this.#options = options
    this.#transport = transport
    this.#codecs = codecs
    if (options.promises) this.#watch = new PromiseWatch({ clock, ...options.promises })
    const { telephoneEvent } = this.#payloadTypes()
    this.#local = {
      profile: options.profile,
      sessionId: clock.now(),
      version: dialect === 'whatsapp' ? 2 : 1,
      address: this.#address,
      port: transport.port,
      formats: this.#offered(codecs),
      telephoneEvent,
      key: undefined,
      cryptoTag: 1,
      ssrc: random.int(1, 0xffffffff),
      stream: random.uuid(),
      ptime: options.ptime ?? 20,
      rtcpMux: options.rtcpMux ?? false,
      direction: 'sendrecv',
    }
    this.#reporter = new RtcpReporter({
      clock,
      cname: dialect === 'whatsapp' ? 'WhatsAppAudioStream1' : 'toy-pbx',
      sent: () => (this.#sender?.packets ? this.#sender : undefined),
      received: () => this.#receiver?.block(),
      send: (packet) => transport.sendRtcp(packet),
    })
  }

  /** Binds the socket. Rejects when the address cannot be bound. */
  static async open(options: MediaEndpointOptions): Promise<MediaEndpoint> {
    let endpoint: MediaEndpoint | undefined
    const transport = await openTransport(options, {
      rtp: (header, payload) => endpoint?.received(header, payload),
      rtcp: (packet) => endpoint?.receivedRtcp(packet),
      early: () => endpoint?.receivedEarly(),
      ready: () => endpoint?.ready(),
      failed: (reason) => options.promises?.broken('dtls', reason),
    })
    endpoint = new MediaEndpoint(options, transport)
    return endpoint
  }

  /** The transport's word of a plain RTP packet. */
  protected received(header: RtpHeader, payload: Buffer): void {
    if (this.#lossy()) return
    this.#watch?.rtp(header, payload)
    this.#receiver?.rtp(header, payload)
    if (this.#options.waits && this.#startedAt !== undefined) this.#talk()
  }

  protected receivedRtcp(packet: Buffer): void {
    this.#receiver?.rtcp()
    this.#reporter.receive(packet)
  }

  protected receivedEarly(): void {
    const { clock } = this.#options
    if (this.#early !== undefined || this.#receiver) return
    this.#early = clock.monotonic()
    this.#earlyTimer = clock.setTimeout(() => {
      this.#watch?.broken('early-media', `media more than ${RACE} ms before the answer`)
    }, RACE)
  }

  protected ready(): void {
    this.#allow()
    if (!this.#options.waits && this.#startedAt !== undefined) this.#talk()
  }

  /** Our offer. Before the first answer the same text every time. */
  offer(): string {
    return this.#write()
  }

  /** A later offer of ours; WhatsApp's side knows none. */
  reoffer(change: MediaChange): string {
    const { codecs, ptime, direction = 'sendrecv', address = this.#address } = change
    this.#former = { local: { ...this.#local }, codecs: this.#codecs, direction: this.#direction }
    this.#local.version++
    this.#local.port = this.#transport.port
    this.#local.address = address
    this.#local.direction = direction
    this.#direction = direction
    if (ptime !== undefined) this.#local.ptime = ptime
    if (codecs) this.#codecs = codecs
    this.#local.formats = this.#offered(this.#codecs)
    this.#local.telephoneEvent = this.#payloadTypes().telephoneEvent
    return this.#write()
  }

  /** The other side has refused {@link MediaEndpoint.reoffer}: all is as it was (RFC 3261 §14.2). */
  withdraw(): void {
    if (!this.#former) return
    const { local, codecs, direction } = this.#former
    const { version, port } = this.#local
    Object.assign(this.#local, local, { version, port })
    this.#codecs = codecs
    this.#direction = direction
  }

  /** Takes an offer, first or later, and gives our answer. Throws {@link SdpError} when nothing fits. */
  async answer(offer: string): Promise<string> {
    const remote = requireAudio(offer)
    const formats = commonFormats(remote, this.#codecs)
    const crypto = remote.cryptos[0]
    const again = this.#receiver !== undefined
    const telephoneEvent = remote.telephoneEvent ?? this.#unasked(remote)
    await this.#connect(remote, formats, 'offer', telephoneEvent)
    this.#local.formats = formats
    this.#local.telephoneEvent = telephoneEvent
    this.#local.cryptoTag = crypto?.tag ?? 1
    if (again) this.#local.version++
    this.#local.direction = answerTo(remote.direction, this.#direction)
    const opus = formats.find((format) => format.name === 'opus')?.payloadType
    const types = this.#payloadTypes()
    this.#types = {
      opus: opus ?? types.opus,
      telephoneEvent: telephoneEvent ?? types.telephoneEvent,
    }
    return this.#write()
  }

  /** Takes the answer to our offer. Throws {@link SdpError} when it cannot be used. */
  async complete(answer: string): Promise<void> {
    const remote = requireAudio(answer)
    const formats = commonFormats(remote, this.#codecs)
    await this.#connect(remote, formats, 'answer', this.#local.telephoneEvent)
  }

  /** The call is answered: sends now, or at the first packet when the endpoint waits. Idempotent. */
  start(): void {
    if (this.#startedAt !== undefined) return
    this.#startedAt = this.#options.clock.monotonic()
    this.#allow()
    if (!this.#options.waits || this.#receiver?.firstAt !== undefined) this.#talk()
  }

  /** Stops and resumes sending: hold, voice activity detection, the tests of watchdogs. */
  mute(muted: boolean): void {
    this.#sender?.mute(muted)
  }

  /** Sends another tone from now on: music on hold; undefined is the usual one again. */
  async play(frequency: number | undefined): Promise<void> {
    this.#frequency = frequency
    if (this.#sent) this.#sender?.change(await this.#format(this.#sent))
  }

  /** Sends from a new SSRC with new sequence numbers and timestamps. */
  restart(): void {
    this.#sender?.restart()
  }

  /** Binds another port; the next {@link MediaEndpoint.reoffer} names it. Not with DTLS. */
  move(): Promise<void> {
    return this.#transport.move()
  }

  /** Sends digits by RFC 4733. Throws RangeError for an unknown digit. */
  dtmf(digits: string, milliseconds = 100): void {
    this.#sender?.dtmf(digits, milliseconds)
  }

  /** Monotonic time of the last packet that came, undefined before the first. */
  get lastAt(): number | undefined {
    return this.#receiver?.lastAt
  }

  /** What was seen so far; stays available after closing. */
  verdict(): MediaVerdict {
    const received = this.#receiver?.report() ?? NOTHING
    const firstAt = this.#receiver?.firstAt
    const started = this.#startedAt
    const { dtls } = this.#transport
    const promises = this.#watch?.report(silenceShare(received))
    return {
      codec: this.#sent?.name,
      profile: this.#options.profile,
      sent: {
        packets: this.#sender?.packets ?? 0,
        ssrc: this.#sender?.ssrc ?? this.#local.ssrc,
        frequency: this.#frequency ?? this.#options.tone.frequency,
      },
      received,
      firstPacketAfter:
        firstAt === undefined || started === undefined
          ? undefined
          : Math.max(0, Math.round(firstAt - started)),
      earlyBy: this.#earlyBy,
      rejected: this.#transport.rejected,
      heard: (received.tone?.ms ?? 0) >= HEARD,
      ...(promises ? { promises } : {}),
      ...(dtls ? { dtls } : {}),
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#earlyTimer?.clear()
    this.#reporter.stop()
    this.#sender?.stop()
    this.#transport.close()
    this.#receiver?.close()
  }

  #write(): string {
    Object.assign(this.#local, this.#transport.lines())
    return this.#options.dialect === 'whatsapp' ? whatsappSdp(this.#local) : pbxSdp(this.#local)
  }

  get #address(): string {
    return this.#options.advertise ?? this.#options.address
  }

  /** Of our offers: a call keeps the types it has (RFC 3264 §8.3.2). */
  #payloadTypes(): { opus: number; telephoneEvent: number } {
    if (this.#types) return this.#types
    const whatsapp = this.#options.dialect === 'whatsapp'
    const usual = whatsapp ? { opus: 111, telephoneEvent: 126 } : { opus: 107, telephoneEvent: 101 }
    return this.#options.payloadTypes ?? usual
  }

  #offered(codecs: readonly CodecName[]): NamedFormat[] {
    const fixed = { PCMA: 8, PCMU: 0, opus: this.#payloadTypes().opus }
    return codecs.map((name) => ({ name, payloadType: fixed[name] }))
  }

  /** WhatsApp answers with events of its own type where the offer has none. */
  #unasked(remote: RemoteAudio): number | undefined {
    if (this.#options.dialect === 'pbx') return undefined
    const { telephoneEvent } = this.#payloadTypes()
    const taken = remote.formats.some((format) => format.payloadType === telephoneEvent)
    return taken ? undefined : telephoneEvent
  }

  #lossy(): boolean {
    const { loss = 0, random } = this.#options
    return loss > 0 && random.int(0, 10_000) < loss * 10_000
  }

  /** Packets may come from the answer on, and from the moment there are keys. */
  #allow(): void {
    const { readyAt } = this.#transport
    if (readyAt === undefined || this.#startedAt === undefined) return
    this.#watch?.allow(Math.max(readyAt, this.#startedAt))
  }

  #talk(): void {
    if (!this.#sender || this.#sender.running || this.#closed) return
    this.#sender.start()
    if (this.#muxed) this.#reporter.start()
  }

  async #connect(
    remote: RemoteAudio,
    formats: NamedFormat[],
    remoteIs: 'offer' | 'answer',
    ownEvent: number | undefined,
  ): Promise<void> {
    const { clock, profile } = this.#options
    const [chosen] = formats
    if (!chosen) throw new SdpError('no codec in common')
    if (remote.profile !== profile) {
      throw new SdpError(`profile ${remote.profile} meets ${profile}`)
    }
    const telephoneEvent = remote.telephoneEvent ?? this.#payloadTypes().telephoneEvent
    const sent = { ...chosen, telephoneEvent }
    const format = await this.#format(sent)
    const heard = remoteIs === 'offer' ? formats : [...this.#local.formats, ...formats]
    await this.#listen(heard, ownEvent ?? telephoneEvent)
    if (this.#closed) return
    this.#sent = sent
    if (this.#sender) this.#sender.change(format)
    else this.#sender = this.#newSender(format)
    this.#earlyTimer?.clear()
    if (this.#early !== undefined) this.#earlyBy ??= Math.round(clock.monotonic() - this.#early)
    this.#muxed =
      remote.rtcpMux && (this.#options.dialect === 'whatsapp' || this.#local.rtcpMux === true)
    this.#transport.connect(remote, remoteIs)
  }

  async #format(sent: NamedFormat & { telephoneEvent: number }): Promise<SentFormat> {
    const { name, payloadType, telephoneEvent } = sent
    const { tone } = this.#options
    const ptime = name === 'opus' ? 20 : (this.#local.ptime ?? 20)
    const frames = await toneLoop(name, this.#frequency ?? tone.frequency, tone.level, ptime)
    return { codec: name, payloadType, telephoneEvent, frames, ptime }
  }

  async #listen(formats: readonly NamedFormat[], telephoneEvent: number): Promise<void> {
    const { clock, analyse = true } = this.#options
    const codecs = new Map(formats.map(({ name, payloadType }) => [payloadType, name]))
    this.#watch?.agree(codecs, telephoneEvent)
    if (this.#receiver) {
      await this.#receiver.expect(formats, telephoneEvent)
      return
    }
    const receiver = await Receiver.create({ clock, formats, telephoneEvent, analyse })
    if (this.#closed) {
      receiver.close()
      return
    }
    this.#receiver = receiver
  }

  #newSender(format: SentFormat): Sender {
    const { clock, random } = this.#options
    return new Sender({
      clock,
      random,
      ssrc: this.#local.ssrc,
      format,
      transport: {
        send: (header, payload) => {
          if (!this.#lossy()) this.#transport.send(header, payload)
        },
      },
    })
  }
}

/** RFC 3264 §6.1: what an answer says to an offer's direction, given what we want ourselves. */
function answerTo(offered: Direction, wanted: Direction): Direction {
  const sends = /^sendrecv|recvonly$/.test(offered) && /^send/.test(wanted)
  const receives = /^send/.test(offered) && /^sendrecv|recvonly$/.test(wanted)
  if (sends) return receives ? 'sendrecv' : 'sendonly'
  return receives ? 'recvonly' : 'inactive'
}

function requireAudio(sdp: string): RemoteAudio {
  const remote = readAudio(sdp)
  if (!remote) throw new SdpError('no audio in the SDP')
  return remote
}
