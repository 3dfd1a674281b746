import { packetAddresses } from './ip-address.ts'
import type { KeptMessage } from './types.ts'

/** LINKTYPE_RAW: the packet begins with its IP header, whose version tells IPv4 from IPv6. */
const LINKTYPE_RAW = 101
const SNAPLEN = 262_144
const UDP = 17
/** Octets of text one UDP packet takes: 65535 less the larger IP header and the UDP header. */
const LARGEST = 65_535 - 40 - 8

/**
 * A capture file (classic pcap, microseconds) of messages. Each is one UDP packet between its true
 * addresses and ports, those that came by TCP or TLS too: so every dissector reads the SIP in them.
 * What made them longer on the wire, keys and retransmissions of TCP, is not there.
 */
export function pcapOf(messages: readonly KeptMessage[]): Buffer {
  return Buffer.concat([fileHeader(), ...messages.flatMap(record)])
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(24)
  header.writeUInt32LE(0xa1b2c3d4, 0)
  header.writeUInt16LE(2, 4)
  header.writeUInt16LE(4, 6)
  header.writeUInt32LE(SNAPLEN, 16)
  header.writeUInt32LE(LINKTYPE_RAW, 20)
  return header
}

function record(message: KeptMessage): Buffer[] {
  const packet = packetOf(message)
  const header = Buffer.alloc(16)
  const micros = Math.round(message.at * 1000)
  header.writeUInt32LE(Math.floor(micros / 1_000_000), 0)
  header.writeUInt32LE(micros % 1_000_000, 4)
  header.writeUInt32LE(packet.length, 8)
  header.writeUInt32LE(packet.length, 12)
  return [header, packet]
}

/** The message in a UDP packet, checksums and all (RFC 791, RFC 8200, RFC 768). */
function packetOf(message: KeptMessage): Buffer {
  const { dir, localAddress, localPort, remoteAddress, remotePort } = message
  const local = { host: localAddress, port: localPort }
  const remote = { host: remoteAddress, port: remotePort }
  const [from, to] = dir === 'in' ? [remote, local] : [local, remote]
  const { family, source, destination } = packetAddresses(from.host, to.host)
  const payload = Buffer.from(message.text).subarray(0, LARGEST)
  const length = 8 + payload.length
  const start = family === 4 ? 20 : 40
  const packet = Buffer.alloc(start + length)
  if (family === 4) writeIpv4(packet, source, destination)
  else writeIpv6(packet, source, destination, length)
  packet.writeUInt16BE(from.port, start)
  packet.writeUInt16BE(to.port, start + 2)
  packet.writeUInt16BE(length, start + 4)
  payload.copy(packet, start + 8)
  const pseudo = Buffer.concat([source, destination, Buffer.from([0, UDP, length >> 8, length])])
  const sum = checksum(packet.subarray(start), sumOf(pseudo))
  // RFC 768: zero says that there is none.
  packet.writeUInt16BE(sum === 0 ? 0xffff : sum, start + 6)
  return packet
}

function writeIpv4(packet: Buffer, source: Uint8Array, destination: Uint8Array): void {
  packet[0] = 0x45
  packet.writeUInt16BE(packet.length, 2)
  // Don't Fragment.
  packet.writeUInt16BE(0x4000, 6)
  packet[8] = 64
  packet[9] = UDP
  packet.set(source, 12)
  packet.set(destination, 16)
  packet.writeUInt16BE(checksum(packet.subarray(0, 20)), 10)
}

function writeIpv6(
  packet: Buffer,
  source: Uint8Array,
  destination: Uint8Array,
  length: number,
): void {
  packet[0] = 0x60
  packet.writeUInt16BE(length, 4)
  packet[6] = UDP
  packet[7] = 64
  packet.set(source, 8)
  packet.set(destination, 24)
}

/** RFC 1071. */
function checksum(bytes: Uint8Array, initial = 0): number {
  let sum = sumOf(bytes) + initial
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000)
  return ~sum & 0xffff
}

function sumOf(bytes: Uint8Array): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  return sum
}
