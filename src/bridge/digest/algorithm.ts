import { hash } from 'node:crypto'

/** Digest algorithms (RFC 8760), strongest first. */
export const ALGORITHMS = ['SHA-512-256', 'SHA-256', 'MD5'] as const

/** A digest algorithm by its registered name. */
export type Algorithm = (typeof ALGORITHMS)[number]

const OPENSSL: Record<Algorithm, string> = {
  'SHA-512-256': 'sha512-256',
  'SHA-256': 'sha256',
  MD5: 'md5',
}

/** The algorithm a challenge names; MD5 when it names none (RFC 7616 §3.3). */
export function algorithmOf(
  name: string | undefined,
): { algorithm: Algorithm; session: boolean } | undefined {
  if (name === undefined) return { algorithm: 'MD5', session: false }
  const upper = name.toUpperCase()
  const session = upper.endsWith('-SESS')
  const plain = session ? upper.slice(0, -5) : upper
  const algorithm = ALGORITHMS.find((known) => known === plain)
  return algorithm && { algorithm, session }
}

/** What goes into a digest response (RFC 7616 §3.4). */
export interface DigestInput {
  algorithm: Algorithm
  session: boolean
  username: string
  realm: string
  password: string
  method: string
  uri: string
  nonce: string
  /** `auth`, or undefined for the form without qop (RFC 2069). */
  qop: 'auth' | undefined
  /** Eight hexadecimal digits. */
  nc: string
  cnonce: string
}

/** The response value: lower-case hexadecimal. */
export function digestResponse(input: DigestInput): string {
  const h = (text: string): string => hash(OPENSSL[input.algorithm], text)
  const { nonce, cnonce } = input
  const secret = h(`${input.username}:${input.realm}:${input.password}`)
  const ha1 = input.session ? h(`${secret}:${nonce}:${cnonce}`) : secret
  const ha2 = h(`${input.method}:${input.uri}`)
  if (input.qop === undefined) return h(`${ha1}:${nonce}:${ha2}`)
  return h(`${ha1}:${nonce}:${input.nc}:${cnonce}:${input.qop}:${ha2}`)
}
