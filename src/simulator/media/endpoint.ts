import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'
import { toneLoop } from './codec.ts'
import { type ReceiveReport, Receiver } from './receiver.ts'
import { type RtpHeader, RtpSocket } from './rtp-socket.ts'
import { commonFormats } from './rules.ts'
import {
  type CodecName,
  type LocalAudio,
  pbxSdp,
  type RemoteAudio,
  readAudio,
  SUITE,
  whatsappSdp,
} from './sdp.ts'
import { Sender } from './sender.ts'
import { createSrtp, isKey, sdesKeys } from './srtp.ts'

/** How an endpoint speaks. */
export interface MediaEndpointOptions {
  clock: Clock
  random: Random
  /** Whose SDP is written: WhatsApp's exact lines, or a PBX's. */
  dialect: 'whatsapp' | 'pbx'
  /** SDES, plain RTP, or the shape of WhatsApp's DTLS offer (signalling only: no media flows). */
  profile: LocalAudio['profile']
  /** Address to bind and, unless `advertise` is set, to write into the SDP. */
  address: string
  /** Address in the SDP. */
  advertise?: string
  /** Ports to try before any free one. */
  ports?: readonly number[]
  /** Codecs offered, in order; or accepted, in the offerer's order. */
  codecs: readonly CodecName[]
  /** What is sent: Hz and dB below full scale. Whole Hz loop without a click. */
  tone: { frequency: number; level: number }
  /** Sends nothing until the first packet from the other side: WhatsApp's rule. */
  waits: boolean
  /** Decodes what arrives to recognise its tone. Default true; false only counts. */
  analyse?: boolean
  /** Payload types of our offers. Default 111/126 for WhatsApp, 107/101 for a PBX. */
  payloadTypes?: { opus: number; telephoneEvent: number }
}

/** Both directions of a call's media, as one endpoint saw them. */
export interface MediaVerdict {
  /** Codec sent, undefined before negotiation. */
  codec: CodecName | undefined
  profile: LocalAudio['profile']
  sent: { packets: number; ssrc: number; frequency: number }
  received: ReceiveReport
  /** Milliseconds from {@link MediaEndpoint.start} to the first packet from the other side. */
  firstPacketAfter: number | undefined
  /** Milliseconds before the negotiation was complete that the first early packet came. */
  earlyBy: number | undefined
  /** Packets that failed authentication or were no RTP. */
  rejected: number
  /** Whether a tone was recognised for at least half a second. */
  heard: boolean
}

/** An SDP that cannot be used; the message says why. */
export class SdpError extends Error {
  override readonly name = 'SdpError'
}

/** Milliseconds of tone that count as heard. */
const HEARD = 500

/** One end of a call's audio: an SDP offer or answer, then a tone sent and the other one measured. */
export class MediaEndpoint {
  readonly #options: MediaEndpointOptions
  readonly #socket: RtpSocket
  readonly #local: LocalAudio
  #receiver: Receiver | undefined
  #sender: Sender | undefined
  #codec: CodecName | undefined
  #early: number | undefined
  #earlyBy: number | undefined
  #startedAt: number | undefined
  #closed = false

  private constructor(options: MediaEndpointOptions, socket: RtpSocket) {
    const { random, clock, codecs, dialect } = options
    const types =
      options.payloadTypes ??
      (dialect === 'whatsapp'
        ? { opus: 111, telephoneEvent: 126 }
        : { opus: 107, telephoneEvent: 101 })
    const fixed = { PCMA: 8, PCMU: 0, opus: types.opus }
    this.#options = options
    this.#socket = socket
    this.#local = {
      profile: options.profile,
      sessionId: clock.now(),
      version: dialect === 'whatsapp' ? 2 : 1,
      address: options.advertise ?? options.address,
      port: socket.port,
      formats: codecs.map((name) => ({ name, payloadType: fixed[name] })),
      telephoneEvent: types.telephoneEvent,
      key: options.profile === 'RTP/SAVP' ? newKey(random) : undefined,
      cryptoTag: 1,
      ssrc: random.int(1, 0xffffffff),
      stream: random.uuid(),
    }
    if (options.profile === 'UDP/TLS/RTP/SAVPF') this.#local.dtls = dtlsLines(random)
  }

  /** Binds the socket. Rejects when the address cannot be bound. */
  static async open(options: MediaEndpointOptions): Promise<MediaEndpoint> {
    let endpoint: MediaEndpoint | undefined
    const { address, ports } = options
    const socket = await RtpSocket.bind(ports ? { address, ports } : { address }, {
      rtp: (header, payload) => endpoint?.received(header, payload),
      rtcp: () => endpoint?.receivedRtcp(),
      early: () => endpoint?.receivedEarly(),
    })
    endpoint = new MediaEndpoint(options, socket)
    return endpoint
  }

  /** The socket's word of a plain RTP packet. */
  protected received(header: RtpHeader, payload: Buffer): void {
    this.#receiver?.rtp(header, payload)
    if (this.#options.waits) this.#sender?.start()
  }

  protected receivedRtcp(): void {
    this.#receiver?.rtcp()
  }

  protected receivedEarly(): void {
    this.#early ??= this.#options.clock.monotonic()
  }

  /** Our offer; the same text every time. */
  offer(): string {
    return this.#write()
  }

  /** Takes an offer and gives our answer. Throws {@link SdpError} when nothing fits. */
  async answer(offer: string): Promise<string> {
    const remote = requireAudio(offer)
    const formats = commonFormats(remote, this.#options.codecs)
    const crypto = remote.cryptos.find((line) => line.suite === SUITE)
    this.#local.formats = formats
    this.#local.telephoneEvent = remote.telephoneEvent
    this.#local.cryptoTag = crypto?.tag ?? 1
    if (this.#local.dtls) this.#local.dtls.setup = 'passive'
    await this.#connect(remote, formats)
    return this.#write()
  }

  /** Takes the answer to our offer. Throws {@link SdpError} when it cannot be used. */
  async complete(answer: string): Promise<void> {
    const remote = requireAudio(answer)
    await this.#connect(remote, commonFormats(remote, this.#options.codecs))
  }

  /** The call is answered: sends now, or at the first packet when the endpoint waits. Idempotent. */
  start(): void {
    if (this.#startedAt !== undefined) return
    this.#startedAt = this.#options.clock.monotonic()
    if (!this.#options.waits || this.#receiver?.firstAt !== undefined) this.#sender?.start()
  }

  /** Stops and resumes sending, for the tests of watchdogs. */
  mute(muted: boolean): void {
    this.#sender?.mute(muted)
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
    const received = this.#receiver?.report() ?? EMPTY
    const firstAt = this.#receiver?.firstAt
    const started = this.#startedAt
    return {
      codec: this.#codec,
      profile: this.#options.profile,
      sent: {
        packets: this.#sender?.packets ?? 0,
        ssrc: this.#local.ssrc,
        frequency: this.#options.tone.frequency,
      },
      received,
      firstPacketAfter:
        firstAt === undefined || started === undefined
          ? undefined
          : Math.max(0, Math.round(firstAt - started)),
      earlyBy: this.#earlyBy,
      rejected: this.#socket.rejected,
      heard: (received.tone?.ms ?? 0) >= HEARD,
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#sender?.stop()
    this.#socket.close()
    this.#receiver?.close()
  }

  #write(): string {
    return this.#options.dialect === 'whatsapp' ? whatsappSdp(this.#local) : pbxSdp(this.#local)
  }

  async #connect(
    remote: RemoteAudio,
    formats: { name: CodecName; payloadType: number }[],
  ): Promise<void> {
    const { clock, random, tone, profile } = this.#options
    const [chosen] = formats
    if (!chosen) throw new SdpError('no codec in common')
    if (remote.profile !== profile) {
      throw new SdpError(`profile ${remote.profile} meets ${profile}`)
    }
    const crypto = remote.cryptos.find((line) => line.suite === SUITE && isKey(line.key))
    if (profile === 'RTP/SAVP' && !crypto) throw new SdpError(`no usable ${SUITE} key`)
    this.#codec = chosen.name
    const telephoneEvent = remote.telephoneEvent ?? 126
    const receiver = await Receiver.create({
      clock,
      formats: [...this.#local.formats, ...formats],
      telephoneEvent: this.#local.telephoneEvent ?? telephoneEvent,
      analyse: this.#options.analyse ?? true,
    })
    const frames = await toneLoop(chosen.name, tone.frequency, tone.level)
    if (this.#closed) {
      receiver.close()
      return
    }
    this.#receiver = receiver
    if (profile === 'UDP/TLS/RTP/SAVPF') return
    const { payloadType } = chosen
    const { ssrc } = this.#local
    this.#sender = new Sender({
      clock,
      random,
      socket: this.#socket,
      codec: chosen.name,
      payloadType,
      telephoneEvent,
      ssrc,
      frames,
    })
    if (this.#early !== undefined) this.#earlyBy = Math.round(clock.monotonic() - this.#early)
    const keys =
      this.#local.key && crypto ? createSrtp(sdesKeys(this.#local.key, crypto.key)) : undefined
    this.#socket.start({ address: remote.address, port: remote.port }, keys)
    if (this.#startedAt !== undefined && !this.#options.waits) this.#sender.start()
  }
}

const EMPTY: ReceiveReport = {
  packets: 0,
  lost: 0,
  rtcp: 0,
  ssrcs: [],
  irregular: 0,
  unknownPayloads: 0,
  undecodable: 0,
  tone: undefined,
  silence: 0,
  other: 0,
  digits: [],
}

function requireAudio(sdp: string): RemoteAudio {
  const remote = readAudio(sdp)
  if (!remote) throw new SdpError('no audio in the SDP')
  return remote
}

/** 30 random bytes: master key and salt of AES_CM_128_HMAC_SHA1_80. */
function newKey(random: Random): Secret {
  return new Secret(random.bytes(30).toString('base64'))
}

/** ICE credentials and fingerprint in WhatsApp's shapes: the password ends in `==`. */
function dtlsLines(random: Random): NonNullable<LocalAudio['dtls']> {
  const hex = random.hex(32).toUpperCase().match(/../g) ?? []
  return {
    ufrag: random.bytes(12).toString('base64'),
    password: random.bytes(16).toString('base64'),
    fingerprint: hex.join(':'),
    setup: 'actpass',
    ipv6: '2001:db8:f36b:131:face:b00c:0:699c',
  }
}
