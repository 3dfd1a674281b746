import { readdirSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { ADDRESS_LENGTH, writeAddress } from '../udp/socket-address.ts'
import {
  AF_INET,
  SO_DETACH_FILTER,
  SO_TYPE,
  SOCK_DGRAM,
  SOL_SOCKET,
  type System,
} from '../udp/system.ts'

/** Octets of an address that name the socket: in IPv6 all but the zone. */
const SIGNIFICANT = { 4: 8, 6: 24 }

/**
 * Makes sockets of the library hear nothing for a while. A peer may check an offer before its answer
 * has been read (RFC 8445 §6.1.4 lets it), and the library then has a pair that works in the moment it
 * is told the peer's password, which is before it is told the fingerprint: on a busy machine the whole
 * handshake fits in between, and the right certificate is refused. What the kernel drops until the
 * answer is read is sent again by the peer (RFC 8489 §6.2.1); our own checks begin there anyway.
 */
export class Quiet {
  readonly #system: System
  readonly #name = Buffer.alloc(ADDRESS_LENGTH)
  readonly #length = Buffer.alloc(4)

  constructor(system: System) {
    this.#system = system
  }

  /**
   * Drops what comes in at the UDP socket of this process that is bound to an IP literal and port;
   * the function given ends that. Undefined when there is no such socket or the kernel refuses.
   */
  silence(address: string, port: number): (() => void) | undefined {
    const fd = this.#find(address, port)
    if (fd === undefined || this.#system.dropEverything(fd) !== 0) return undefined
    return () => {
      const unused = Buffer.alloc(4)
      this.#system.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, unused, unused.length)
    }
  }

  /** The newest socket has the number below the lowest that is free, more often than not. */
  #find(address: string, port: number): number | undefined {
    const { socket, close } = this.#system
    const wanted = writeAddress(this.#system, address, port)
    const free = socket(AF_INET, SOCK_DGRAM, 0)
    if (!wanted || free < 0) return undefined
    close(free)
    const part = wanted.subarray(0, SIGNIFICANT[isIPv4(address) ? 4 : 6])
    for (let fd = free - 1; fd >= 0; fd--) if (this.#isBoundTo(fd, part)) return fd
    return readdirSync('/proc/self/fd')
      .map(Number)
      .find((fd) => fd > free && this.#isBoundTo(fd, part))
  }

  #isBoundTo(fd: number, wanted: Uint8Array): boolean {
    this.#length.writeUInt32LE(ADDRESS_LENGTH)
    if (this.#system.getsockname(fd, this.#name, this.#length) !== 0) return false
    if (this.#name.compare(wanted, 0, wanted.length, 0, wanted.length) !== 0) return false
    const type = Buffer.alloc(4)
    this.#length.writeUInt32LE(type.length)
    this.#system.getsockopt(fd, SOL_SOCKET, SO_TYPE, type, this.#length)
    return type.readUInt32LE() === SOCK_DGRAM
  }
}
