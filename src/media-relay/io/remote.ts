import type { AudioDescription } from '../../media/sdp/types.ts'
import { isUnspecified, socketForm } from './addresses.ts'

/** The remote of a leg, as much of its description as says where packets come from and go to. */
export type RemoteDescription = Pick<AudioDescription, 'address' | 'port' | 'rtcp' | 'rtcpMux'>

/**
 * Where a leg's packets go and where they may come from. Sending begins at the address of the
 * description and follows the source that was learned (symmetric RTP, RFC 4961): a NAT may have
 * changed the port. A source is learned from one packet; another one only after a new description,
 * except that the very address of the description is always believed.
 */
export class Remote {
  /** Where RTP goes, in the socket's form; '' while packets must not be sent. */
  address = ''
  port = 0
  /** Where RTCP goes. */
  rtcpAddress = ''
  rtcpPort = 0
  /** The source that was learned; '' before. */
  sourceAddress = ''
  sourcePort = 0

  readonly #family: 4 | 6
  #announcedAddress = ''
  #announcedPort = 0
  #open = true

  constructor(socketFamily: 4 | 6) {
    this.#family = socketFamily
  }

  /** Takes a description, first or later. One of nobody (0.0.0.0, port 0) stops sending alone. */
  describe(remote: RemoteDescription): void {
    const address = socketForm(remote.address, this.#family)
    if (address === undefined || isUnspecified(address) || remote.port === 0) {
      this.address = ''
      this.rtcpAddress = ''
      return
    }
    const moved = address !== this.#announcedAddress || remote.port !== this.#announcedPort
    this.#announcedAddress = address
    this.#announcedPort = remote.port
    this.#open = true
    const learned = !moved && this.sourceAddress !== ''
    this.address = learned ? this.sourceAddress : address
    this.port = learned ? this.sourcePort : remote.port
    if (remote.rtcpMux) {
      this.rtcpAddress = this.address
      this.rtcpPort = this.port
    } else if (moved || this.rtcpAddress === '') {
      this.rtcpAddress =
        (remote.rtcp?.address && socketForm(remote.rtcp.address, this.#family)) ?? address
      this.rtcpPort = remote.rtcp?.port ?? remote.port + 1
    }
  }

  /** Whether packets may be sent. */
  get reachable(): boolean {
    return this.address !== ''
  }

  /** Whether a plain packet may come from this address: it is the description's, or learned. */
  allows(address: string): boolean {
    return address === this.#announcedAddress || address === this.sourceAddress
  }

  /**
   * A packet came from somewhere else than the learned source, and is authentic or from an allowed
   * address. True: that is the source now.
   */
  learn(address: string, port: number, mux: boolean): boolean {
    const announced = address === this.#announcedAddress && port === this.#announcedPort
    if (!this.#open && !announced) return false
    // Stragglers of the former source do not use up the occasion: they are not another one.
    this.#open = false
    this.sourceAddress = address
    this.sourcePort = port
    if (this.reachable) {
      this.address = address
      this.port = port
      if (mux) {
        this.rtcpAddress = address
        this.rtcpPort = port
      }
    }
    return true
  }
}
