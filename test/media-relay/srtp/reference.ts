import { createCipheriv, createHmac } from 'node:crypto'
import type { SessionKeys } from '../../../src/media-relay/srtp/key-derivation.ts'

/**
 * AES-CM with HMAC-SHA1 written straight from RFC 3711 §4 with one cipher and one HMAC a packet, to
 * hold the fast one against. Gives the SRTP packet.
 */
export function referenceRtp(
  keys: SessionKeys,
  tag: number,
  clear: Buffer,
  header: number,
  index: number,
): Buffer {
  const encrypted = cm(keys, clear, header, clear.readUInt32BE(8), index)
  const roc = Buffer.alloc(4)
  roc.writeUInt32BE(Math.floor(index / 65536))
  return Buffer.concat([encrypted, hmac(keys, tag, encrypted, roc)])
}

/** The same for SRTCP (RFC 3711 §3.4). */
export function referenceRtcp(keys: SessionKeys, clear: Buffer, index: number): Buffer {
  const word = Buffer.alloc(4)
  word.writeUInt32BE(0x80000000 + index)
  const encrypted = Buffer.concat([cm(keys, clear, 8, clear.readUInt32BE(4), index), word])
  return Buffer.concat([encrypted, hmac(keys, 10, encrypted)])
}

function cm(keys: SessionKeys, clear: Buffer, from: number, ssrc: number, index: number): Buffer {
  const counter =
    (BigInt(`0x${keys.salt.toString('hex')}`) << 16n) ^
    (BigInt(ssrc) << 64n) ^
    (BigInt(index) << 16n)
  const iv = Buffer.from(counter.toString(16).padStart(32, '0'), 'hex')
  const cipher = createCipheriv(`aes-${keys.cipher.length * 8}-ctr`, keys.cipher, iv)
  return Buffer.concat([clear.subarray(0, from), cipher.update(clear.subarray(from))])
}

function hmac(keys: SessionKeys, tag: number, ...parts: Buffer[]): Buffer {
  const digest = createHmac('sha1', keys.authentication).update(Buffer.concat(parts)).digest()
  return digest.subarray(0, tag)
}
