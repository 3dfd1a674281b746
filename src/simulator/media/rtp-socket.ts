import type { Socket } from 'node:dgram'
import { RtpHeader, RtpPacket } from 'werift-rtp'
import type { PeerAddress } from './ice-lite.ts'
import type { Srtp } from './srtp.ts'
import { bindFirst } from './udp.ts'

/** What arrives at a socket. Payloads are plain: SRTP has been removed. */
export interface RtpSocketEvents {
  rtp(header: RtpHeader, payload: Buffer): void
  /** Any valid RTCP packet (multiplexed, RFC 5761). */
  rtcp(packet: Buffer): void
  /** A packet that came before {@link RtpSocket.start}. */
  early(): void
}

/**
 * One UDP socket of one call, RTP and RTCP multiplexed. Sends to the address of the SDP until a
 * valid packet arrives, then to where that came from (symmetric RTP, RFC 4961).
 */
export class RtpSocket {
  readonly #address: string
  readonly #events: RtpSocketEvents
  #socket: Socket
  #srtp: Srtp | undefined
  #open = false
  #remote: PeerAddress | undefined
  #closed = false
  /** Packets that failed authentication or are no RTP. */
  rejected = 0

  private constructor(address: string, socket: Socket, events: RtpSocketEvents) {
    this.#address = address
    this.#events = events
    this.#socket = socket
    this.#listen()
  }

  /** Binds; tries `ports` in turn, then any port. Rejects when the address cannot be bound. */
  static async bind(
    options: { address: string; ports?: readonly number[] | undefined },
    events: RtpSocketEvents,
  ): Promise<RtpSocket> {
    const { address, ports } = options
    return new RtpSocket(address, await bindFirst(address, ports), events)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Starts reading and allows sending: with keys as SRTP, without as plain RTP. Again to change. */
  start(remote: PeerAddress, srtp: Srtp | undefined): void {
    this.#remote = remote
    this.#srtp = srtp
    this.#open = true
  }

  /** Goes on from another port, for which an SDP has yet to be sent. */
  async move(): Promise<void> {
    const next = await bindFirst(this.#address)
    const former = this.#socket
    if (this.#closed) {
      next.close()
      return
    }
    this.#socket = next
    this.#listen()
    former.close()
  }

  /** Sends one packet; silently nothing before {@link RtpSocket.start} or after closing. */
  send(header: RtpHeader, payload: Buffer): void {
    const packet = this.#srtp
      ? this.#srtp.protect(header, payload)
      : new RtpPacket(header, payload).serialize()
    this.#transmit(packet)
  }

  /** Sends RTCP under the same rules. */
  sendRtcp(packet: Buffer): void {
    this.#transmit(this.#srtp ? this.#srtp.protectRtcp(packet) : packet)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #transmit(packet: Buffer): void {
    if (!this.#open || this.#closed || !this.#remote) return
    this.#socket.send(packet, this.#remote.port, this.#remote.address)
  }

  #listen(): void {
    this.#socket.on('message', (packet, from) => this.#receive(packet, from))
  }

  #receive(packet: Buffer, from: PeerAddress): void {
    if (this.#closed) return
    if (!this.#open) {
      this.#events.early()
      return
    }
    if (isRtcp(packet)) {
      const plain = this.#srtp ? this.#srtp.unprotectRtcp(packet) : packet
      if (plain) this.#events.rtcp(plain)
      else this.rejected++
      return
    }
    const plain = this.#srtp ? this.#srtp.unprotect(packet) : packet
    if (!plain || plain.length < 12 || plain[0]! >> 6 !== 2) {
      this.rejected++
      return
    }
    this.#remote = from
    const { header, payload } = RtpPacket.deSerialize(plain)
    this.#events.rtp(header, payload)
  }
}

/** RFC 5761 §4: RTCP packet types 192 to 223 take the place of marker and payload type. */
export function isRtcp(packet: Buffer): boolean {
  return packet.length >= 8 && packet[1]! >= 192 && packet[1]! <= 223
}

export { RtpHeader }
