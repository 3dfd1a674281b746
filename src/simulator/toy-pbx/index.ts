/** The toy PBX of the demo: a drachtio-srf application on an embedded SIP server of its own. */
import Srf from 'drachtio-srf'
import { createSipServer, type ListenerInfo } from '../../embedded-drachtio/index.ts'
import { bracketed } from '../../embedded-drachtio/message/index.ts'
import { type Clock, systemClock } from '../../shared/clock.ts'
import { type Logger, silentLogger } from '../../shared/log.ts'
import { type Random, systemRandom } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'
import { type CodecName, MediaEndpoint } from '../media/index.ts'
import { PbxCall } from './call.ts'

export { type Hold, PbxCall, type PbxCallState, type PbxCallView } from './call.ts'

/** How a toy PBX is set up. */
export interface ToyPbxOptions {
  /** Address of SIP and RTP. Default 127.0.0.1. */
  host?: string
  /** Default 0: any free port. */
  port?: number
  /** Default udp. */
  transport?: 'udp' | 'tcp'
  /** SIP URI calls are placed through: Causeway's PBX listener. May be set later. */
  trunk?: string
  /** Answers the trunk's challenge. */
  credentials?: { username: string; password: Secret }
  /** Milliseconds an incoming call rings. Default 200. */
  ringMs?: number
  /** Final status given to incoming calls instead of an answer, such as 486. */
  refuse?: number
  /** Default sdes: RTP/SAVP with one crypto line. */
  srtp?: 'none' | 'sdes'
  /** Default opus. */
  codecs?: readonly CodecName[]
  /** Milliseconds of G.711 in a packet we send. Default 20. */
  ptime?: number
  /** SDP in a 183 while it rings. Default no. */
  early?: EarlyMedia
  /**
   * What the other side hears. Default 880 Hz for incoming and 1000 Hz for outgoing calls; music on
   * hold 660 Hz.
   */
  tones?: { incoming: number; outgoing: number; music?: number }
  clock?: Clock
  random?: Random
  log?: Logger
}

/** Whether a call that rings has media: not, the same as after the answer, or from another port then. */
export type EarlyMedia = 'no' | 'same' | 'moves'

/** How an outgoing call is placed. */
export interface PlaceOptions {
  from?: string
  headers?: Record<string, string>
  /** SIP URI to place it through instead of the trunk. */
  through?: string
  /** The INVITE has no SDP: the other side offers, the ACK answers. */
  lateOffer?: boolean
}

/** A running toy PBX. */
export interface ToyPbx {
  readonly address: { host: string; port: number }
  /** For `trunks[].targets`. */
  readonly uri: string
  /** Newest last. */
  readonly calls: readonly PbxCall[]
  /** May be changed at any time. */
  readonly settings: {
    trunk: string
    ringMs: number
    refuse: number | undefined
    early: EarlyMedia
  }
  /** Resolves with the next incoming call, ringing. */
  next(): Promise<PbxCall>
  /**
   * Places a call through the trunk. The user part is what the PBX dials: `+`digits or a BSUID.
   * Whether it is answered is in the call; throws TypeError without a trunk.
   */
  call(number: string, options?: PlaceOptions): PbxCall
  close(): Promise<void>
}

/** Level of the PBX's tones in dB below full scale. */
const LEVEL = -16

/** Starts a toy PBX: it answers every call after ringing, plays a tone and listens for one. */
export async function startToyPbx(options: ToyPbxOptions = {}): Promise<ToyPbx> {
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const log = options.log ?? silentLogger()
  const { host = '127.0.0.1', transport = 'udp', srtp = 'sdes', codecs = ['opus'] } = options
  const tones = { music: 660, ...(options.tones ?? { incoming: 880, outgoing: 1000 }) }
  const secret = new Secret(random.hex(16))
  const server = await createSipServer({
    admin: { host: '127.0.0.1', port: 0, secret },
    listeners: [{ transport, host, port: options.port ?? 0 }],
    clock,
    random,
    log,
  })
  const { port } = server.listeners()[0] as ListenerInfo
  const srf = new Srf()
  srf.on('error', (error) => log.warn({ err: error }, 'toy PBX'))

  const settings = {
    trunk: options.trunk ?? '',
    ringMs: options.ringMs ?? 200,
    refuse: options.refuse,
    early: options.early ?? 'no',
  }
  const calls: PbxCall[] = []
  const waiting: ((call: PbxCall) => void)[] = []

  function open(frequency: number): Promise<MediaEndpoint> {
    return MediaEndpoint.open({
      clock,
      random,
      dialect: 'pbx',
      profile: srtp === 'sdes' ? 'RTP/SAVP' : 'RTP/AVP',
      address: host,
      codecs,
      tone: { frequency, level: LEVEL },
      waits: false,
      ...(options.ptime ? { ptime: options.ptime } : {}),
    })
  }

  async function incoming(request: Srf.SrfRequest, response: Srf.SrfResponse): Promise<void> {
    const call = new PbxCall({
      direction: 'incoming',
      from: request.callingNumber,
      to: request.calledNumber,
      clock,
      music: tones.music,
    })
    call.headers = lowerCase(request.headers)
    calls.push(call)
    waiting.shift()?.(call)
    request.on('cancel', () => call.end('cancelled by the trunk', 487))
    const early = settings.early !== 'no' && request.body !== ''
    if (!early) response.send(180)
    const media = await open(tones.incoming)
    call.attach(media)
    if (early) await ringAloud(request, response, media).catch(() => response.send(180))
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, settings.ringMs))
    if (call.state === 'ended') return
    if (settings.refuse !== undefined) {
      response.send(settings.refuse)
      call.end('refused here', settings.refuse)
      return
    }
    try {
      if (early && settings.early === 'moves') await media.move()
      const localSdp = request.body ? await media.answer(request.body) : media.offer()
      const dialog = await srf.createUAS(request, response, { localSdp })
      if (!request.body) completeByAck(dialog, call, media)
      call.answered(dialog)
    } catch (error) {
      if (!response.finalResponseSent) response.send(488)
      call.end((error as Error).message, 488)
    }
  }

  async function outgoing(call: PbxCall, placing: PlaceOptions): Promise<void> {
    const { headers, lateOffer, through = settings.trunk } = placing
    const media = await open(tones.outgoing)
    call.attach(media)
    const { credentials } = options
    const trunk = through.replace(/^sip:/, '')
    try {
      const placed = await srf.createUAC(
        `sip:${call.to}@${trunk}`,
        {
          ...(lateOffer ? { noAck: true } : { localSdp: media.offer() }),
          headers: { From: `<sip:${call.from}@${bracketed(host)}:${port}>`, ...headers },
          ...(credentials
            ? {
                auth: { username: credentials.username, password: credentials.password.reveal() },
              }
            : {}),
        },
        // Untrue to its type, drachtio-srf passes an error first.
        { cbRequest: (...sent: unknown[]) => cancelBy(call, sent) },
      )
      if (lateOffer) {
        const { sdp, ack } = placed as unknown as OfferedLate
        call.answered(await ack(await media.answer(sdp)))
        return
      }
      await media.complete(placed.remote.sdp)
      call.answered(placed)
    } catch (error) {
      const { status, reason, message } = error as Error & { status?: number; reason?: string }
      call.headers = lowerCase(
        (error as { res?: { headers?: Record<string, string> } }).res?.headers ?? {},
      )
      call.end(status ? `${status} ${reason ?? ''}`.trim() : message, status)
    }
  }

  srf.use('invite', (request, response) => void incoming(request, response))
  srf.use('options', (_request, response) => response.send(200))
  // Registered first, so that the server routes requests here from the first moment.
  await new Promise<void>((resolve, reject) => {
    srf.on('connect', (error) => (error ? reject(error) : resolve()))
    void srf.connect({ ...server.admin, secret: secret.reveal() })
  }).catch(async (error: unknown) => {
    await server.close()
    throw error
  })

  return {
    address: { host, port },
    uri: `sip:${bracketed(host)}:${port};transport=${transport}`,
    calls,
    settings,
    next: () => new Promise((resolve) => waiting.push(resolve)),
    call(number, placing = {}) {
      if (settings.trunk === '' && !placing.through)
        throw new TypeError('the toy PBX has no trunk yet')
      const { from = 'toy' } = placing
      const { music } = tones
      const call = new PbxCall({ direction: 'outgoing', from, to: number, clock, music })
      calls.push(call)
      void outgoing(call, placing)
      return call
    },
    async close() {
      for (const call of calls) {
        call.hangup()
        call.end('PBX stopped')
      }
      srf.disconnect()
      await server.close()
    },
  }
}

/** What drachtio-srf gives, untrue to its types, for an INVITE without an offer. */
interface OfferedLate {
  sdp: string
  ack(sdp: string): Promise<Srf.Dialog>
}

/** 183 with our answer, and our tone before the call is answered. */
async function ringAloud(
  request: Srf.SrfRequest,
  response: Srf.SrfResponse,
  media: MediaEndpoint,
): Promise<void> {
  const body = await media.answer(request.body)
  response.send(183, { headers: { 'Content-Type': 'application/sdp' }, body })
  media.start()
}

/** The answer to our offer comes in the ACK. */
function completeByAck(dialog: Srf.Dialog, call: PbxCall, media: MediaEndpoint): void {
  dialog.on('ack', (ack) => {
    media.complete(ack.body).catch((error: Error) => call.end(error.message))
  })
}

function cancelBy(call: PbxCall, sent: readonly unknown[]): void {
  const request = sent[1] as Srf.SrfRequest | undefined
  call.cancellable(() => request?.cancel(() => {}))
}

function lowerCase(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
}
