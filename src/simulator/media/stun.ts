import { createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import ipaddr from 'ipaddr.js'
import type { Secret } from '../../shared/secret.ts'

/** Attribute types (RFC 8489 §18.3, RFC 8445 §16.1). */
export const ATTRIBUTE = {
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  messageIntegritySha256: 0x001c,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const

/** Message types of the Binding method (RFC 8489 §5). */
export const BINDING = { request: 0x0001, indication: 0x0011, success: 0x0101, error: 0x0111 }

const COOKIE = 0x2112a442
const HEADER = 20
const FINGERPRINT_XOR = 0x5354554e

/** A STUN message that is well formed; nothing is authenticated yet. */
export interface StunMessage {
  /** Method and class, as in {@link BINDING}. */
  type: number
  /** 12 octets. */
  transaction: Buffer
  /** First occurrence of each attribute, those behind MESSAGE-INTEGRITY left out but FINGERPRINT. */
  attributes: ReadonlyMap<number, Buffer>
  /** The whole message. */
  raw: Buffer
  /** Offset of MESSAGE-INTEGRITY and of FINGERPRINT; undefined without one. */
  integrityAt: number | undefined
  fingerprintAt: number | undefined
}

/** Reads a STUN message (RFC 8489 §6); undefined for anything malformed. */
export function parseStun(packet: Buffer): StunMessage | undefined {
  if (packet.length < HEADER || packet[0]! > 3) return undefined
  const length = packet.readUInt16BE(2)
  if (length % 4 !== 0 || length + HEADER !== packet.length) return undefined
  if (packet.readUInt32BE(4) !== COOKIE) return undefined
  const attributes = new Map<number, Buffer>()
  let integrityAt: number | undefined
  let fingerprintAt: number | undefined
  for (let at = HEADER; at < packet.length; ) {
    // FINGERPRINT is the last attribute (RFC 8489 §14.7).
    if (fingerprintAt !== undefined || at + 4 > packet.length) return undefined
    const type = packet.readUInt16BE(at)
    const size = packet.readUInt16BE(at + 2)
    const end = at + 4 + size
    if (end > packet.length) return undefined
    const behind = integrityAt !== undefined && type !== ATTRIBUTE.fingerprint
    if (!behind && !attributes.has(type)) attributes.set(type, packet.subarray(at + 4, end))
    if (type === ATTRIBUTE.messageIntegrity) {
      if (size !== 20) return undefined
      integrityAt ??= at
    }
    if (type === ATTRIBUTE.fingerprint) {
      if (size !== 4) return undefined
      fingerprintAt = at
    }
    at = end + ((4 - (size % 4)) % 4)
  }
  const transaction = packet.subarray(8, HEADER)
  const type = packet.readUInt16BE(0)
  return { type, transaction, attributes, raw: packet, integrityAt, fingerprintAt }
}

/** Whether FINGERPRINT is there and right. */
export function hasFingerprint({ raw, fingerprintAt }: StunMessage): boolean {
  if (fingerprintAt === undefined) return false
  return raw.readUInt32BE(fingerprintAt + 4) === fingerprintOf(raw.subarray(0, fingerprintAt))
}

/** Whether MESSAGE-INTEGRITY is there and made with the short-term password (RFC 8489 §14.5). */
export function hasIntegrity({ raw, integrityAt }: StunMessage, password: Secret): boolean {
  if (integrityAt === undefined) return false
  const covered = Buffer.from(raw.subarray(0, integrityAt))
  // As if nothing followed MESSAGE-INTEGRITY.
  covered.writeUInt16BE(integrityAt + 24 - HEADER, 2)
  const theirs = raw.subarray(integrityAt + 4, integrityAt + 24)
  return timingSafeEqual(theirs, hmac(covered, password))
}

/** Writes a message; with a password MESSAGE-INTEGRITY is added, FINGERPRINT always. */
export function writeStun(
  message: {
    type: number
    transaction: Buffer
    attributes: readonly (readonly [number, Buffer])[]
  },
  password: Secret | undefined,
): Buffer {
  const parts: Buffer[] = []
  let length = 0
  for (const [type, value] of message.attributes) {
    const padded = Buffer.alloc(4 + value.length + ((4 - (value.length % 4)) % 4))
    padded.writeUInt16BE(type, 0)
    padded.writeUInt16BE(value.length, 2)
    value.copy(padded, 4)
    parts.push(padded)
    length += padded.length
  }
  const header = Buffer.alloc(HEADER)
  header.writeUInt16BE(message.type, 0)
  header.writeUInt32BE(COOKIE, 4)
  message.transaction.copy(header, 8)
  let bytes = Buffer.concat([header, ...parts])
  if (password) {
    length += 24
    bytes.writeUInt16BE(length, 2)
    const integrity = Buffer.from([0, ATTRIBUTE.messageIntegrity, 0, 20])
    bytes = Buffer.concat([bytes, integrity, hmac(bytes, password)])
  }
  bytes.writeUInt16BE(length + 8, 2)
  const tail = Buffer.alloc(8)
  tail.writeUInt16BE(ATTRIBUTE.fingerprint, 0)
  tail.writeUInt16BE(4, 2)
  tail.writeUInt32BE(fingerprintOf(bytes), 4)
  return Buffer.concat([bytes, tail])
}

/** Value of XOR-MAPPED-ADDRESS (RFC 8489 §14.2). */
export function xorAddress(from: { address: string; port: number }, transaction: Buffer): Buffer {
  const address = Buffer.from(ipaddr.process(from.address.split('%')[0]!).toByteArray())
  const mask = Buffer.alloc(16)
  mask.writeUInt32BE(COOKIE, 0)
  transaction.copy(mask, 4)
  const value = Buffer.alloc(4 + address.length)
  value[1] = address.length === 4 ? 1 : 2
  value.writeUInt16BE(from.port ^ (COOKIE >>> 16), 2)
  for (let i = 0; i < address.length; i++) value[4 + i] = address[i]! ^ mask[i]!
  return value
}

/** Value of ERROR-CODE (RFC 8489 §14.8). */
export function errorCode(code: number, reason: string): Buffer {
  return Buffer.concat([
    Buffer.from([0, 0, Math.floor(code / 100), code % 100]),
    Buffer.from(reason),
  ])
}

function hmac(bytes: Buffer, password: Secret): Buffer {
  return createHmac('sha1', password.reveal()).update(bytes).digest()
}

function fingerprintOf(bytes: Buffer): number {
  return (crc32(bytes) ^ FINGERPRINT_XOR) >>> 0
}
