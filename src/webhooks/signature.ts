import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../shared/secret.ts'

/** `sha256=` and 64 hexadecimal digits, in either case. */
const FORM = /^sha256=([0-9a-f]{64})$/i

/** The value of `X-Hub-Signature-256` of a body. */
export function signatureOf(secret: Secret, body: Uint8Array): string {
  return `sha256=${createHmac('sha256', secret.reveal()).update(body).digest('hex')}`
}

/**
 * Whether `X-Hub-Signature-256` is the HMAC-SHA256 of the raw body with the app's secret (docs/reference/whatsapp.md,
 * Webhooks). Compared in constant time; a missing or malformed header, and two of them, are false.
 */
export function isSigned(secret: Secret, body: Uint8Array, header: unknown): boolean {
  const given = typeof header === 'string' ? FORM.exec(header.trim())?.[1] : undefined
  if (given === undefined) return false
  const expected = createHmac('sha256', secret.reveal()).update(body).digest()
  return timingSafeEqual(expected, Buffer.from(given, 'hex'))
}
