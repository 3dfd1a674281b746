import type { Algorithm } from './algorithm.ts'
import type { NonceSource } from './nonce.ts'
import { quote } from './params.ts'

/**
 * The value of Proxy-Authenticate or WWW-Authenticate that challenges a peer. MD5 is the one algorithm
 * WhatsApp is known to answer and every PBX speaks; `stale` asks for the same credentials under the
 * new nonce.
 */
export function challengeValue(
  nonces: NonceSource,
  realm: string,
  stale = false,
  algorithm: Algorithm = 'MD5',
): string {
  const nonce = nonces.issue(realm)
  const again = stale ? ', stale=true' : ''
  return `Digest realm=${quote(realm)}, nonce="${nonce}", algorithm=${algorithm}, qop="auth"${again}`
}
