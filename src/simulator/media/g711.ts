import { codesOf, type Law, samplesOf } from '../../shared/g711.ts'
import type { CodecName } from './sdp.ts'

/** Bytes to 16-bit samples. */
export function decodeG711(law: Law, payload: Uint8Array): Int16Array {
  const table = samplesOf(law)
  const pcm = new Int16Array(payload.length)
  for (let i = 0; i < payload.length; i++) pcm[i] = table[payload[i]!]!
  return pcm
}

/** 16-bit samples to bytes. */
export function encodeG711(law: Law, pcm: Int16Array): Buffer {
  const table = codesOf(law)
  const payload = Buffer.alloc(pcm.length)
  for (let i = 0; i < pcm.length; i++) payload[i] = table[pcm[i]! & 0xffff]!
  return payload
}

/** Whether a codec is one of the two laws. */
export function isG711(codec: CodecName): codec is Law {
  return codec !== 'opus'
}
