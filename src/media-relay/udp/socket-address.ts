import { isIP } from 'node:net'
import { AF_INET, AF_INET6, type System } from './system.ts'

/** Octets of `struct sockaddr_in6`, which has room for every address here. */
export const ADDRESS_LENGTH = 28
const IPV4_LENGTH = 16
/** Octets of the text of an address (INET6_ADDRSTRLEN) and of an interface's name. */
const TEXT_LENGTH = 46
const NAME_LENGTH = 16

/** `struct sockaddr_in` or `sockaddr_in6` of an IP literal, as long as it is; undefined for another text. */
export function writeAddress(
  system: System,
  address: string,
  port: number,
): Uint8Array | undefined {
  const version = isIP(address)
  if (version === 0) return undefined
  const bytes = Buffer.alloc(version === 4 ? IPV4_LENGTH : ADDRESS_LENGTH)
  bytes.writeUInt16LE(version === 4 ? AF_INET : AF_INET6, 0)
  bytes.writeUInt16BE(port, 2)
  if (version === 4) {
    system.inet_pton(AF_INET, address, bytes.subarray(4))
    return bytes
  }
  const [host, zone] = address.split('%') as [string, string | undefined]
  system.inet_pton(AF_INET6, host, bytes.subarray(8))
  if (zone !== undefined) bytes.writeUInt32LE(Number(zone) || system.if_nametoindex(zone), 24)
  return bytes
}

/** Address and port of a `struct sockaddr_in` or `sockaddr_in6`, in the words of `node:dgram`. */
export function readAddress(system: System, bytes: Buffer): { address: string; port: number } {
  const port = bytes.readUInt16BE(2)
  if (bytes.readUInt16LE(0) === AF_INET) {
    return { address: `${bytes[4]}.${bytes[5]}.${bytes[6]}.${bytes[7]}`, port }
  }
  const text = Buffer.alloc(TEXT_LENGTH)
  system.inet_ntop(AF_INET6, bytes.subarray(8), text, text.length)
  const zone = bytes.readUInt32LE(24)
  return { address: zone === 0 ? cString(text) : `${cString(text)}%${nameOf(system, zone)}`, port }
}

function nameOf(system: System, zone: number): string {
  const name = Buffer.alloc(NAME_LENGTH)
  system.if_indextoname(zone, name)
  return cString(name) || String(zone)
}

function cString(text: Buffer): string {
  return text.toString('latin1', 0, text.indexOf(0))
}
