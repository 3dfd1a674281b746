import { isIPv6 } from 'node:net'
import type { Keying, LegShape, LegTransport } from '../../media/anchor/types.ts'
import type { AudioDescription } from '../../media/sdp/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Random } from '../../shared/random.ts'
import type { LegSockets, SocketPool } from '../ports/sockets.ts'
import { isRtcp } from '../rtp/index.ts'
import { MALFORMED, REPLAYED, type SrtpReceiver, type SrtpSender } from '../srtp/index.ts'
import type { Source } from '../udp/types.ts'
import { hostPort, isUnspecified } from './addresses.ts'
import type { Outbox } from './outbox.ts'
import { Remote } from './remote.ts'
import { Sdes } from './sdes.ts'
import type { Wire, WireEvents, WireFacts } from './types.ts'

/** What a wire over UDP needs. */
export interface UdpWireOptions {
  sockets: SocketPool
  /** The worker's; its packets leave through it. */
  outbox: Outbox
  /** IP literal the pool binds. */
  listen: string
  /** Advertised instead of `listen` to a remote that reaches us from outside. */
  externalAddress: string | undefined
  random: Random
  /** Our SSRC and CNAME, for the description. */
  ssrc: number
  cname: string
  events: WireEvents
}

/** A wire of plain RTP or SDES-SRTP; a later offer may change from one to the other. */
export function createUdpWire(options: UdpWireOptions): Wire {
  return new UdpWire(options)
}

/** The longest datagram worth reading; RTP beyond an Ethernet frame is nobody's audio. */
const LONGEST = 1500

class UdpWire implements Wire {
  readonly #options: UdpWireOptions
  readonly #outbox: Outbox
  readonly #family: 4 | 6
  readonly #remote: Remote
  readonly #sdes: Sdes
  #sockets: LegSockets | undefined
  #advertised = ''
  #closing: Promise<void> | undefined
  /** What was agreed; undefined before the first answer. */
  #keying: Keying | undefined
  #mux = false
  /** Keying of an offer that has no answer yet. */
  #offered: Keying = 'none'
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined
  #auth = 0
  #replayed = 0
  #malformed = 0
  #wrongSource = 0
  #strangeAddress = ''
  #strangePort = 0

  constructor(options: UdpWireOptions) {
    this.#options = options
    this.#outbox = options.outbox
    this.#family = isIPv6(options.listen) ? 6 : 4
    this.#remote = new Remote(this.#family)
    this.#sdes = new Sdes(options.random)
  }

  get ready(): boolean {
    return this.#keying !== undefined && this.#remote.reachable && this.#closing === undefined
  }

  async offer(shape: LegShape): Promise<LegTransport> {
    // Both ports even where one may do: whether it does is the answerer's to say (RFC 5761 §5.1.1).
    const sockets = await this.#open(true)
    this.#offered = shape.keying
    const crypto = shape.keying === 'sdes' ? this.#sdes.offer(shape.suites) : []
    return { ...this.#transport(sockets, shape), crypto }
  }

  async accept(answer: AudioDescription): Promise<void> {
    if (this.#offered === 'sdes') this.#sdes.accept(answer.crypto)
    await this.#agree(this.#offered, answer)
  }

  async answer(offer: AudioDescription, shape: LegShape): Promise<LegTransport> {
    const sockets = await this.#open(!shape.rtcpMux)
    const crypto =
      shape.keying === 'sdes'
        ? [this.#sdes.answer(offer.crypto, shape.cryptoTag, shape.suites)]
        : []
    await this.#agree(shape.keying, { ...offer, rtcpMux: shape.rtcpMux })
    return { ...this.#transport(sockets, shape), crypto }
  }

  sendRtp(slot: Buffer, length: number): void {
    const { address, port } = this.#remote
    if (address === '' || this.#closing || !this.#sockets) return
    const sender = this.#sender
    const octets = sender ? sender.protectRtp(slot, length) : length
    if (octets > 0) this.#outbox.send(this.#sockets.rtp, slot, octets, port, address)
  }

  sendRtcp(slot: Buffer, length: number): void {
    const { rtcpAddress, rtcpPort } = this.#remote
    if (rtcpAddress === '' || this.#closing || !this.#sockets) return
    const sender = this.#sender
    const octets = sender ? sender.protectRtcp(slot, length) : length
    const socket = this.#sockets.rtcp ?? this.#sockets.rtp
    if (octets > 0) this.#outbox.send(socket, slot, octets, rtcpPort, rtcpAddress)
  }

  facts(): WireFacts {
    const { address, port, sourceAddress, sourcePort } = this.#remote
    const remote =
      sourceAddress === '' ? hostPort(address, port) : hostPort(sourceAddress, sourcePort)
    return {
      suite: this.#keying === 'sdes' ? this.#sdes.suite : undefined,
      local: this.#sockets && hostPort(this.#advertised, this.#sockets.port),
      remote: address === '' && sourceAddress === '' ? undefined : remote,
      ice: undefined,
      dtls: undefined,
      auth: this.#auth,
      replayed: this.#replayed,
      wrongSource: this.#wrongSource,
      malformed: this.#malformed,
      strange:
        this.#strangeAddress === '' ? undefined : hostPort(this.#strangeAddress, this.#strangePort),
    }
  }

  close(): Promise<void> {
    if (!this.#closing) {
      this.#outbox.flush()
      this.#closing = this.#sockets?.close() ?? Promise.resolve()
    }
    return this.#closing
  }

  async #open(pair: boolean): Promise<LegSockets> {
    if (this.#sockets) return this.#sockets
    const sockets = await this.#options.sockets.open(pair)
    if (this.#closing) {
      await sockets.close()
      throw new CausewayError('MEDIA_RELAY_LOST', { detail: 'the leg was closed meanwhile' })
    }
    this.#sockets = sockets
    sockets.rtp.onPacket = (packet, length, source) => this.#receive(packet, length, source)
    if (sockets.rtcp) {
      sockets.rtcp.onPacket = (packet, length, source) => this.#receiveRtcp(packet, length, source)
    }
    return sockets
  }

  async #agree(keying: Keying, remote: AudioDescription): Promise<void> {
    const first = !this.ready
    this.#keying = keying
    this.#mux = remote.rtcpMux
    this.#sender = keying === 'sdes' ? this.#sdes.sender : undefined
    this.#receiver = keying === 'sdes' ? this.#sdes.receiver : undefined
    this.#remote.describe(remote)
    if (remote.rtcpMux) {
      this.#outbox.flush()
      await this.#sockets?.share()
    }
    if (first && this.ready) this.#options.events.onReady()
  }

  #transport(sockets: LegSockets, shape: LegShape): Omit<LegTransport, 'crypto'> {
    const { listen, externalAddress, ssrc, cname } = this.#options
    // A wildcard is no address to name.
    const outside = shape.external || isUnspecified(listen)
    const address = (outside && externalAddress) || listen
    this.#advertised = address
    return {
      address,
      family: isIPv6(address) ? 6 : 4,
      port: sockets.port,
      rtcpPort: sockets.rtcp && sockets.port + 1,
      rtcpMux: shape.rtcpMux,
      dtls: undefined,
      ice: undefined,
      ssrc,
      cname,
    }
  }

  #receive(packet: Buffer, length: number, source: Source): void {
    if (length < 12 || length > LONGEST || packet[0]! >> 6 !== 2) {
      if (length > 0) this.#malformed++
      return
    }
    if (isRtcp(packet, length)) {
      this.#receiveRtcp(packet, length, source)
      return
    }
    const remote = this.#remote
    const known = source.port === remote.sourcePort && source.address === remote.sourceAddress
    if (this.#receiver) {
      const clear = this.#receiver.unprotectRtp(packet, length)
      if (clear < 0) this.#undecipherable(clear, source)
      else if (known || this.#learn(source)) this.#options.events.onRtp(packet, clear)
    } else if (this.#keying === 'none') {
      if (known || (remote.allows(source.address) && this.#learn(source))) {
        this.#options.events.onRtp(packet, length)
      } else if (!remote.allows(source.address)) this.#stranger(source)
    }
  }

  #receiveRtcp(packet: Buffer, length: number, source: Source): void {
    if (length < 8 || length > LONGEST || packet[0]! >> 6 !== 2) {
      if (length > 0) this.#malformed++
      return
    }
    if (this.#receiver) {
      const clear = this.#receiver.unprotectRtcp(packet, length)
      if (clear < 0) this.#undecipherable(clear, source)
      else this.#takeRtcp(packet, clear, source)
    } else if (this.#keying === 'none') {
      if (this.#remote.allows(source.address)) this.#takeRtcp(packet, length, source)
      else this.#stranger(source)
    }
  }

  #takeRtcp(packet: Buffer, length: number, source: Source): void {
    // Reports go back where they come from: a NAT may have changed that port, too.
    if (!this.#mux && this.#remote.rtcpAddress !== '') {
      this.#remote.rtcpAddress = source.address
      this.#remote.rtcpPort = source.port
    }
    this.#options.events.onRtcp(packet, length)
  }

  /** False, and counted, when the source is not to be believed. */
  #learn(source: Source): boolean {
    if (this.#remote.learn(source.address, source.port, this.#mux)) return true
    this.#stranger(source)
    return false
  }

  #undecipherable(result: number, source: Source): void {
    if (result === REPLAYED) this.#replayed++
    else if (result === MALFORMED) this.#malformed++
    else {
      this.#auth++
      if (source.address !== this.#remote.address) this.#strange(source)
    }
  }

  #stranger(source: Source): void {
    this.#wrongSource++
    this.#strange(source)
  }

  #strange(source: Source): void {
    this.#strangeAddress = source.address
    this.#strangePort = source.port
  }
}
