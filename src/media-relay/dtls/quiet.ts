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
/** Files looked at before all of them are. */
const NEAR = 16

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

  /** The number the next file of this process gets; -1 when it may open none. */
  nextFile(): number {
    const { socket, close } = this.#system
    const fd = socket(AF_INET, SOCK_DGRAM, 0)
    if (fd >= 0) close(fd)
    return fd
  }

  /**
   * Drops what comes in at the UDP socket of this process that is bound to an IP literal and port;
   * the function given ends that. Undefined when there is no such socket or the kernel refuses.
   *
   * @param opened where to look first: {@link nextFile} before it was opened
   */
  silence(address: string, port: number, opened: number): (() => void) | undefined {
    const fd = this.#find(address, port, opened)
    if (fd === undefined || this.#system.dropEverything(fd) !== 0) return undefined
    return () => {
      const unused = Buffer.alloc(4)
      this.#system.setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, unused, unused.length)
    }
  }

  #find(address: string, port: number, opened: number): number | undefined {
    const wanted = writeAddress(this.#system, address, port)
    if (!wanted) return undefined
    const name = wanted.subarray(0, SIGNIFICANT[isIPv4(address) ? 4 : 6])
    // Other threads open files too.
    for (let fd = opened; fd < opened + NEAR; fd++) if (this.#isBoundTo(fd, name)) return fd
    return openFiles().find((fd) => this.#isBoundTo(fd, name))
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

/** None where /proc is not mounted. */
function openFiles(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number)
  } catch {
    return []
  }
}
