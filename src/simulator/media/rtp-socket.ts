import { createSocket, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { RtpHeader, RtpPacket } from 'werift-rtp'
import type { Srtp } from './srtp.ts'

/** What arrives at a socket. Payloads are plain: SRTP has been removed. */
export interface RtpSocketEvents {
  rtp(header: RtpHeader, payload: Buffer): void
  /** Any valid RTCP packet (multiplexed, RFC 5761). */
  rtcp(): void
  /** A packet that came before {@link RtpSocket.secure} or plain start. */
  early(): void
}

/**
 * One UDP socket of one call, RTP and RTCP multiplexed. Sends to the address of the SDP until a
 * valid packet arrives, then to where that came from (symmetric RTP, RFC 4961).
 */
export class RtpSocket {
  readonly #socket: Socket
  readonly #events: RtpSocketEvents
  #srtp: Srtp | undefined
  #open = false
  #remote: { address: string; port: number } | undefined
  #closed = false
  /** Packets that failed authentication or are no RTP. */
  rejected = 0

  private constructor(socket: Socket, events: RtpSocketEvents) {
    this.#socket = socket
    this.#events = events
    socket.on('message', (packet, from) => this.#receive(packet, from))
    // ICMP errors of a peer that has gone: the call's end is told by SIP.
    socket.on('error', () => {})
  }

  /** Binds; tries `ports` in turn, then any port. Rejects when the address cannot be bound. */
  static async bind(
    options: { address: string; ports?: readonly number[] },
    events: RtpSocketEvents,
  ): Promise<RtpSocket> {
    for (const port of options.ports ?? []) {
      const socket = await tryBind(options.address, port).catch(() => undefined)
      if (socket) return new RtpSocket(socket, events)
    }
    return new RtpSocket(await tryBind(options.address, 0), events)
  }

  get port(): number {
    return this.#socket.address().port
  }

  /** Starts reading and allows sending: with keys as SRTP, without as plain RTP. */
  start(remote: { address: string; port: number }, srtp: Srtp | undefined): void {
    this.#remote = remote
    this.#srtp = srtp
    this.#open = true
  }

  /** Sends one packet; silently nothing before {@link RtpSocket.start} or after closing. */
  send(header: RtpHeader, payload: Buffer): void {
    if (!this.#open || this.#closed || !this.#remote) return
    const packet = this.#srtp
      ? this.#srtp.protect(header, payload)
      : new RtpPacket(header, payload).serialize()
    this.#socket.send(packet, this.#remote.port, this.#remote.address)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.close()
  }

  #receive(packet: Buffer, from: { address: string; port: number }): void {
    if (this.#closed) return
    if (!this.#open) {
      this.#events.early()
      return
    }
    // RFC 5761 §4: RTCP packet types 192 to 223 take the place of marker and payload type.
    const rtcp = packet.length >= 8 && packet[1]! >= 192 && packet[1]! <= 223
    if (rtcp) {
      const plain = this.#srtp ? this.#srtp.unprotectRtcp(packet) : packet
      if (plain) this.#events.rtcp()
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

function tryBind(address: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.once('error', (error) => {
      socket.close()
      reject(error)
    })
    socket.bind(port, address, () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
  })
}

export { RtpHeader }
