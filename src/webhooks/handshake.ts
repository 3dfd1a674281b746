import { createHash, timingSafeEqual } from 'node:crypto'
import type { Secret } from '../shared/secret.ts'

/** Longest challenge that is echoed; WhatsApp's have about ten digits. */
const LONGEST = 256

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

/**
 * WhatsApp's verification handshake: the whole body of the 200 that answers it.
 *
 * @param query of `GET …?hub.mode=subscribe&hub.verify_token=T&hub.challenge=N`
 * @returns undefined when the token is not ours or the request is no handshake: 403
 */
export function answerHandshake(
  query: Readonly<Record<string, unknown>>,
  token: Secret | undefined,
): string | undefined {
  const mode = query['hub.mode']
  const given = query['hub.verify_token']
  const challenge = query['hub.challenge']
  if (mode !== 'subscribe' || typeof given !== 'string' || typeof challenge !== 'string') {
    return undefined
  }
  if (challenge === '' || challenge.length > LONGEST || !token) return undefined
  // By digest, so that the time tells nothing of the length either.
  return timingSafeEqual(digest(given), digest(token.reveal())) ? challenge : undefined
}
