import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { SrtcpSession, SrtpSession } from 'werift-rtp'
import type { LegMedia, LegShape, LegTransport } from '../../src/media/anchor/types.ts'
import type { AudioDescription, Codec, Crypto } from '../../src/media/sdp/types.ts'
import { Secret } from '../../src/shared/secret.ts'

/** Formats as descriptions name them. */
export const OPUS: Codec = codec(111, 'opus', 48_000, 2)
export const PCMA: Codec = codec(8, 'PCMA', 8_000, undefined)
export const PCMU: Codec = codec(0, 'PCMU', 8_000, undefined)
export const EVENTS: Codec = codec(126, 'telephone-event', 8_000, undefined)

export function codec(
  payloadType: number,
  name: string,
  clockRate: number,
  channels: number | undefined,
): Codec {
  return { payloadType, name, clockRate, channels, fmtp: undefined }
}

/** What is agreed on a leg: Opus and events both ways, unless told otherwise. */
export function legMedia(changes: Partial<LegMedia> = {}): LegMedia {
  return { audio: OPUS, accepts: [], event: EVENTS, ptime: 20, direction: 'sendrecv', ...changes }
}

/** Our end of a leg: plain, one port, unless told otherwise. */
export function legShape(changes: Partial<LegShape> = {}): LegShape {
  return {
    keying: 'none',
    suites: [],
    cryptoTag: undefined,
    rtcpMux: true,
    setup: undefined,
    codecs: [OPUS, EVENTS],
    external: false,
    ...changes,
  }
}

/** The shape of an SDES leg in the suite the independent library knows. */
export const SDES = legShape({
  keying: 'sdes',
  suites: ['AES_CM_128_HMAC_SHA1_80'],
  cryptoTag: 1,
})

/** A packet as it came in, in the clear. */
export interface Heard {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payload: Buffer
  /** Milliseconds, monotonic. */
  at: number
}

/** A packet to be sent. */
export interface Said {
  payloadType: number
  marker: boolean
  sequence: number
  timestamp: number
  ssrc: number
  payload: Uint8Array
}

interface Waiter {
  enough: () => boolean
  done: () => void
}

const KEY = 16
const SALT = 14

/**
 * The far end of a leg on real sockets: it sends what it is told and keeps what it hears. SRTP is
 * that of werift-rtp, which shares no line with ours.
 */
export class RtpPeer {
  readonly heard: Heard[] = []
  readonly reports: Buffer[] = []
  /** Datagrams that could not be decrypted. */
  refused = 0
  readonly #rtp: Socket
  readonly #address: string
  readonly #key: Buffer | undefined
  #srtp: SrtpSession | undefined
  #srtcp: SrtcpSession | undefined
  #target: { address: string; port: number } | undefined
  readonly #waiting: Waiter[] = []
  /** Coordinates of the next packet of {@link say}. */
  ssrc: number
  sequence = 1000
  timestamp = 50_000

  private constructor(rtp: Socket, address: string, secure: boolean, seed: number) {
    this.#rtp = rtp
    this.#address = address
    this.#key = secure ? Buffer.alloc(KEY + SALT, seed) : undefined
    this.ssrc = 0x1000_0000 + seed
    rtp.on('message', (packet) => this.#receive(packet))
  }

  /** Opens a peer on a free port; `secure` with a key of its own. */
  static async open(
    options: { address?: string; secure?: boolean; seed?: number } = {},
  ): Promise<RtpPeer> {
    const { address = '127.0.0.1', secure = false, seed = 1 } = options
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
    socket.bind(0, address)
    await once(socket, 'listening')
    return new RtpPeer(socket, address, secure, seed)
  }

  get port(): number {
    return this.#rtp.address().port
  }

  get crypto(): Crypto | undefined {
    if (!this.#key) return undefined
    return {
      tag: 1,
      suite: 'AES_CM_128_HMAC_SHA1_80',
      key: new Secret(this.#key.toString('base64')),
      lifetime: undefined,
      mki: undefined,
      sessionParameters: '',
    }
  }

  /** The peer's end as an SDP would have it. */
  describe(changes: Partial<AudioDescription> = {}): AudioDescription {
    const { crypto } = this
    return {
      address: this.#address,
      family: this.#address.includes(':') ? 6 : 4,
      port: this.port,
      rtcp: undefined,
      profile: crypto ? 'RTP/SAVP' : 'RTP/AVP',
      direction: 'sendrecv',
      codecs: [OPUS, EVENTS],
      ptime: 20,
      maxptime: undefined,
      crypto: crypto ? [crypto] : [],
      dtls: undefined,
      ice: undefined,
      rtcpMux: true,
      mid: undefined,
      bundle: false,
      index: 0,
      others: [],
      ...changes,
    }
  }

  /** Takes the other end: where to send to, and its key. */
  connect(transport: LegTransport): void {
    this.#target = { address: transport.address, port: transport.port }
    const line = transport.crypto.find(({ suite }) => suite === 'AES_CM_128_HMAC_SHA1_80')
    if (!this.#key || !line) return
    const theirs = Buffer.from(line.key.reveal(), 'base64')
    const config = {
      keys: {
        localMasterKey: this.#key.subarray(0, KEY),
        localMasterSalt: this.#key.subarray(KEY),
        remoteMasterKey: theirs.subarray(0, KEY),
        remoteMasterSalt: theirs.subarray(KEY),
      },
      profile: 1,
    }
    this.#srtp = new SrtpSession(config)
    this.#srtcp = new SrtcpSession(config)
  }

  /** Sends the next packet of a stream of 20 ms frames. */
  say(payload: Uint8Array | string, changes: Partial<Said> = {}, ticks = 960): Said {
    const said = {
      payloadType: OPUS.payloadType,
      marker: false,
      sequence: this.sequence,
      timestamp: this.timestamp,
      ssrc: this.ssrc,
      payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
      ...changes,
    }
    this.sequence = (said.sequence + 1) & 0xffff
    this.timestamp = (said.timestamp + ticks) >>> 0
    this.send(said)
    return said
  }

  send(said: Said): void {
    const packet = Buffer.alloc(12 + said.payload.length)
    packet[0] = 0x80
    packet[1] = said.payloadType | (said.marker ? 0x80 : 0)
    packet.writeUInt16BE(said.sequence, 2)
    packet.writeUInt32BE(said.timestamp, 4)
    packet.writeUInt32BE(said.ssrc, 8)
    packet.set(said.payload, 12)
    this.sendRaw(this.#srtp ? protect(this.#srtp, packet, said) : packet)
  }

  sendRtcp(packet: Buffer): void {
    this.sendRaw(this.#srtcp ? this.#srtcp.encrypt(packet) : packet)
  }

  /** Sends a datagram as it is. */
  sendRaw(datagram: Uint8Array): void {
    if (this.#target) this.#rtp.send(datagram, this.#target.port, this.#target.address)
  }

  /** Resolves when `count` RTP packets, or whatever `enough` says, have been heard. */
  hear(enough: number | (() => boolean)): Promise<void> {
    const test = typeof enough === 'number' ? () => this.heard.length >= enough : enough
    if (test()) return Promise.resolve()
    return new Promise((done) => this.#waiting.push({ enough: test, done }))
  }

  async close(): Promise<void> {
    this.#rtp.close()
    await once(this.#rtp, 'close')
  }

  #receive(datagram: Buffer): void {
    const type = datagram[1]! & 0x7f
    if (type >= 64 && type <= 95) this.#takeReport(datagram)
    else this.#take(datagram)
    for (const waiter of this.#waiting.splice(0)) {
      if (waiter.enough()) waiter.done()
      else this.#waiting.push(waiter)
    }
  }

  #take(datagram: Buffer): void {
    let packet = datagram
    if (this.#srtp) {
      try {
        packet = this.#srtp.decrypt(datagram)
      } catch {
        this.refused++
        return
      }
    }
    this.heard.push({
      payloadType: packet[1]! & 0x7f,
      marker: packet[1]! >= 0x80,
      sequence: packet.readUInt16BE(2),
      timestamp: packet.readUInt32BE(4),
      ssrc: packet.readUInt32BE(8),
      payload: packet.subarray(12),
      at: performance.now(),
    })
  }

  #takeReport(datagram: Buffer): void {
    this.reports.push(this.#srtcp ? this.#srtcp.decrypt(datagram) : datagram)
  }
}

function protect(session: SrtpSession, packet: Buffer, said: Said): Buffer {
  // werift takes payload and header apart; the header needs only what encryption reads.
  const header = {
    sequenceNumber: said.sequence,
    ssrc: said.ssrc,
    serialize: () => packet.subarray(0, 12),
  } as unknown as Parameters<SrtpSession['encrypt']>[1]
  return session.encrypt(packet.subarray(12), header)
}
