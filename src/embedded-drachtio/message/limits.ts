import type { MessageLimits } from './types.ts'

/** Bounds used when none are given: 64 KiB a message, 16 KiB a header line, 256 lines. */
export const defaultLimits: MessageLimits = {
  messageBytes: 65536,
  headerBytes: 16384,
  headerCount: 256,
}

/** Longest Request-URI in characters; beyond it 414 (RFC 3261 §21.4.12). */
export const requestUriLength = 8192

/** Largest CSeq number (RFC 3261 §8.1.1.5). */
export const cseqMax = 2 ** 31 - 1
