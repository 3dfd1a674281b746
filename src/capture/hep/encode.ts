import { packetAddresses } from '../ip-address.ts'
import type { KeptMessage } from '../types.ts'

/** Chunk types of vendor 0 (HEP3 network protocol specification, section 3). */
const CHUNK = {
  family: 0x0001,
  protocol: 0x0002,
  sourceV4: 0x0003,
  destinationV4: 0x0004,
  sourceV6: 0x0005,
  destinationV6: 0x0006,
  sourcePort: 0x0007,
  destinationPort: 0x0008,
  seconds: 0x0009,
  micros: 0x000a,
  kind: 0x000b,
  agent: 0x000c,
  key: 0x000e,
  payload: 0x000f,
  correlation: 0x0011,
} as const

const AF_INET = 2
const AF_INET6 = 10
const UDP = 17
const TCP = 6
/** Protocol type: SIP. */
const SIP = 1
/** The head of a packet: its name and its length. */
const HEAD = 6
/** Octets of one UDP packet. */
const LARGEST = 65_507

/** What stands in every packet. */
export interface HepAgent {
  id: number
  /** Undefined: the collector asks for none. */
  password: string | undefined
}

/**
 * One message as a HEP version 3 packet.
 *
 * @param correlation what joins it to others: the id of its call, else its Call-ID
 * @returns undefined for a message that no UDP packet holds
 */
export function encodeHep(
  message: KeptMessage,
  agent: HepAgent,
  correlation: string,
): Buffer | undefined {
  const { dir, localAddress, localPort, remoteAddress, remotePort } = message
  const local = { host: localAddress, port: localPort }
  const remote = { host: remoteAddress, port: remotePort }
  const [from, to] = dir === 'in' ? [remote, local] : [local, remote]
  const { family, source, destination } = packetAddresses(from.host, to.host)
  const v4 = family === 4
  const micros = Math.round(message.at * 1000)
  const chunks = [
    chunk(CHUNK.family, uint(1, v4 ? AF_INET : AF_INET6)),
    chunk(CHUNK.protocol, uint(1, message.transport === 'udp' ? UDP : TCP)),
    chunk(v4 ? CHUNK.sourceV4 : CHUNK.sourceV6, source),
    chunk(v4 ? CHUNK.destinationV4 : CHUNK.destinationV6, destination),
    chunk(CHUNK.sourcePort, uint(2, from.port)),
    chunk(CHUNK.destinationPort, uint(2, to.port)),
    chunk(CHUNK.seconds, uint(4, Math.floor(micros / 1_000_000))),
    chunk(CHUNK.micros, uint(4, micros % 1_000_000)),
    chunk(CHUNK.kind, uint(1, SIP)),
    chunk(CHUNK.agent, uint(4, agent.id)),
    ...(agent.password === undefined ? [] : [chunk(CHUNK.key, Buffer.from(agent.password))]),
    ...(correlation === '' ? [] : [chunk(CHUNK.correlation, Buffer.from(correlation))]),
    chunk(CHUNK.payload, Buffer.from(message.text)),
  ]
  const length = chunks.reduce((sum, { length }) => sum + length, HEAD)
  if (length > LARGEST) return undefined
  const head = Buffer.from('HEP3\0\0')
  head.writeUInt16BE(length, 4)
  return Buffer.concat([head, ...chunks], length)
}

/** Vendor, type, length with these six octets, value. */
function chunk(type: number, value: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEAD + value.length)
  bytes.writeUInt16BE(type, 2)
  bytes.writeUInt16BE(Math.min(bytes.length, 0xffff), 4)
  bytes.set(value, HEAD)
  return bytes
}

function uint(octets: number, value: number): Buffer {
  const bytes = Buffer.alloc(octets)
  bytes.writeUIntBE(value, 0, octets)
  return bytes
}
