import { timingSafeEqual } from 'node:crypto'
import type { Secret } from '../../shared/secret.ts'
import { algorithmOf, digestResponse } from './algorithm.ts'
import type { NonceSource } from './nonce.ts'
import { parseDigests } from './params.ts'

/** Credentials a peer sent, parsed. */
export interface Credentials {
  username: string
  realm: string
  nonce: string
  uri: string
  response: string
  algorithm: string | undefined
  qop: string | undefined
  nc: string | undefined
  cnonce: string | undefined
}

/**
 * `good`; `stale`: challenge again, the nonce is too old or was used; `wrong`: user name, password or
 * form are wrong.
 */
export type Verdict = 'good' | 'stale' | 'wrong'

/** Digest credentials for a realm out of (Proxy-)Authorization values; undefined when there are none. */
export function credentialsFor(
  realm: string,
  ...values: (string | undefined)[]
): Credentials | undefined {
  for (const value of values) {
    for (const params of parseDigests(value)) {
      if (params['realm'] !== realm) continue
      const { username, nonce, uri, response } = params
      if (username === undefined || nonce === undefined) continue
      if (uri === undefined || response === undefined) continue
      const { algorithm, qop, nc, cnonce } = params
      return { username, realm, nonce, uri, response, algorithm, qop, nc, cnonce }
    }
  }
  return undefined
}

/**
 * Verifies credentials against an account. HA2 uses the header's own `uri`: WhatsApp leaves
 * `;transport=tls` out of it, so that equality with the Request-URI is not asked for.
 */
export function verify(
  credentials: Credentials,
  account: { usernames: readonly string[]; password: Secret },
  method: string,
  nonces: NonceSource,
): Verdict {
  const { nonce, realm, username, uri, response } = credentials
  const freshness = nonces.check(realm, nonce)
  // A nonce of another process (restart, peer of a farm) deserves a new challenge, not a refusal.
  if (freshness !== 'good') return 'stale'
  const known = algorithmOf(credentials.algorithm)
  if (!known || !account.usernames.includes(username)) return 'wrong'
  const qop = credentials.qop?.toLowerCase()
  if (qop !== undefined && qop !== 'auth') return 'wrong'
  const nc = credentials.nc ?? '00000001'
  if (!/^[0-9a-f]{8}$/i.test(nc)) return 'wrong'
  const expected = digestResponse({
    ...known,
    username,
    realm,
    password: account.password.reveal(),
    method,
    uri,
    nonce,
    qop,
    nc,
    cnonce: credentials.cnonce ?? '',
  })
  if (!same(expected, response.toLowerCase())) return 'wrong'
  return nonces.use(nonce, Number.parseInt(nc, 16)) ? 'good' : 'stale'
}

function same(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
