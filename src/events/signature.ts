import { createHmac } from 'node:crypto'
import type { Secret } from '../shared/secret.ts'

/**
 * The value of `X-Causeway-Signature-256`: HMAC-SHA256 of the timestamp, a dot, and the raw body. The time is
 * under the signature, so that an old delivery cannot be played again as a new one.
 *
 * @param timestamp value of `X-Causeway-Timestamp`: Unix seconds of the attempt
 */
export function signEvent(secret: Secret, timestamp: string, body: string): string {
  const hmac = createHmac('sha256', secret.reveal()).update(`${timestamp}.`).update(body)
  return `sha256=${hmac.digest('hex')}`
}
