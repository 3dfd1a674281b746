import type { Secret } from '../../shared/secret.ts'
import { ALGORITHMS, type Algorithm, algorithmOf, digestResponse } from './algorithm.ts'
import { parseDigests, quote } from './params.ts'

/** A challenge chosen to be answered. */
export interface Challenge {
  /** Header the answer goes into. */
  header: 'Proxy-Authorization' | 'Authorization'
  realm: string
  nonce: string
  opaque: string | undefined
  algorithm: Algorithm
  session: boolean
  /** Whether the challenge named its algorithm; only then the answer names it. */
  named: boolean
  qop: 'auth' | undefined
  /** The server says the digest was right but the nonce too old (RFC 7616 §3.3). */
  stale: boolean
}

/** Whose credentials answer. */
export interface Account {
  username: string
  password: Secret
}

/**
 * The strongest challenge of a 401 or 407 that can be answered, or undefined when there is none.
 * @param values `www` and `proxy`: the values of WWW-Authenticate and Proxy-Authenticate
 */
export function chooseChallenge(values: {
  www: string | undefined
  proxy: string | undefined
}): Challenge | undefined {
  const header = values.proxy === undefined ? 'Authorization' : 'Proxy-Authorization'
  let best: Challenge | undefined
  for (const params of parseDigests(values.proxy ?? values.www)) {
    const challenge = toChallenge(params, header)
    if (!challenge) continue
    if (!best || rank(challenge) < rank(best)) best = challenge
  }
  return best
}

function rank({ algorithm }: Challenge): number {
  return ALGORITHMS.indexOf(algorithm)
}

function toChallenge(
  params: Record<string, string>,
  header: Challenge['header'],
): Challenge | undefined {
  const { realm, nonce, opaque } = params
  const known = algorithmOf(params['algorithm'])
  if (realm === undefined || nonce === undefined || !known) return undefined
  const offered = params['qop']?.split(',').map((value) => value.trim().toLowerCase())
  if (offered && !offered.includes('auth')) return undefined
  const qop = offered ? 'auth' : undefined
  const stale = params['stale']?.toLowerCase() === 'true'
  return { header, realm, nonce, opaque, ...known, named: 'algorithm' in params, qop, stale }
}

/**
 * The value of the header {@link Challenge.header} that answers the challenge.
 * @param use the request, and the how-manieth use of the nonce this is, from 1
 */
export function answerChallenge(
  challenge: Challenge,
  account: Account,
  use: { method: string; uri: string; count: number; cnonce: string },
): string {
  const { realm, nonce, opaque, algorithm, session, qop } = challenge
  const { username } = account
  const nc = use.count.toString(16).padStart(8, '0')
  const response = digestResponse({
    algorithm,
    session,
    username,
    realm,
    password: account.password.reveal(),
    method: use.method,
    uri: use.uri,
    nonce,
    qop,
    nc,
    cnonce: use.cnonce,
  })
  const name = session ? `${algorithm}-sess` : algorithm
  return [
    `Digest username=${quote(username)}`,
    `realm=${quote(realm)}`,
    `nonce=${quote(nonce)}`,
    `uri=${quote(use.uri)}`,
    `response="${response}"`,
    ...(challenge.named ? [`algorithm=${name}`] : []),
    ...(qop || session ? [`cnonce=${quote(use.cnonce)}`] : []),
    ...(opaque === undefined ? [] : [`opaque=${quote(opaque)}`]),
    ...(qop ? [`qop=${qop}`, `nc=${nc}`] : []),
  ].join(', ')
}
