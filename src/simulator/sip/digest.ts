import { createHash } from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import type { Secret } from '../../shared/secret.ts'

/** Digest algorithms (RFC 7616, RFC 8760). */
export type DigestAlgorithm = 'MD5' | 'SHA-256' | 'SHA-512-256'

const hashes: Record<DigestAlgorithm, string> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
}

/** The parameters of a challenge or of credentials, names lower case, quotes removed. */
export type DigestParams = Record<string, string>

/** Reads `Digest a="b", c=d`. Undefined for another scheme. */
export function parseDigest(value: string): DigestParams | undefined {
  const scheme = /^\s*digest\s+/i.exec(value)
  if (!scheme) return undefined
  const params: DigestParams = {}
  const pattern = /([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g
  for (const [, name, quoted, token] of value.slice(scheme[0].length).matchAll(pattern)) {
    params[name!.toLowerCase()] = quoted === undefined ? token! : quoted.replace(/\\(.)/g, '$1')
  }
  return params
}

/** The algorithm a challenge or credentials name; MD5 when they name none, undefined for others. */
export function algorithmOf(params: DigestParams): DigestAlgorithm | undefined {
  const name = (params['algorithm'] ?? 'MD5').toUpperCase()
  return name in hashes ? (name as DigestAlgorithm) : undefined
}

/** The `response` value, with qop=auth when `nc` and `cnonce` are given (RFC 7616 §3.4.1). */
export function digestResponse(input: {
  algorithm: DigestAlgorithm
  username: string
  realm: string
  password: Secret
  method: string
  uri: string
  nonce: string
  nc?: string | undefined
  cnonce?: string | undefined
}): string {
  const hash = (text: string): string =>
    createHash(hashes[input.algorithm]).update(text).digest('hex')
  const a1 = hash(`${input.username}:${input.realm}:${input.password.reveal()}`)
  const a2 = hash(`${input.method}:${input.uri}`)
  const { nonce, nc, cnonce } = input
  if (nc === undefined || cnonce === undefined) return hash(`${a1}:${nonce}:${a2}`)
  return hash(`${a1}:${nonce}:${nc}:${cnonce}:auth:${a2}`)
}

/** What came of credentials. */
export type DigestVerdict = 'ok' | 'stale' | 'wrong'

const NONCE_LIFE = 300_000
const MAX_NONCES = 10_000

/** Issues WhatsApp's challenges and checks the answers, nonce counts included. */
export class DigestGuard {
  readonly #clock: Clock
  readonly #random: Random
  readonly #nonces = new Map<string, { expires: number; count: number }>()
  readonly realm: string

  constructor(options: { clock: Clock; random: Random; realm: string }) {
    this.#clock = options.clock
    this.#random = options.random
    this.realm = options.realm
  }

  /** The Proxy-Authenticate values of one challenge: one for each algorithm, on one nonce. */
  challenge(algorithms: readonly DigestAlgorithm[], stale: boolean): string[] {
    const nonce = this.#random.hex(8)
    const opaque = this.#random.hex(8)
    // Insertion order is age, so the first key is the oldest.
    if (this.#nonces.size >= MAX_NONCES) this.#nonces.delete(this.#nonces.keys().next().value!)
    this.#nonces.set(nonce, { expires: this.#clock.now() + NONCE_LIFE, count: 0 })
    const again = stale ? ',stale=true' : ''
    return algorithms.map(
      (algorithm) =>
        `Digest realm="${this.realm}",nonce="${nonce}",opaque="${opaque}",algorithm=${algorithm},qop="auth"${again}`,
    )
  }

  /**
   * Checks credentials against a password. `stale` for a nonce that is unknown, expired or used
   * with a count that does not grow; the `uri` need not equal the Request-URI.
   */
  check(params: DigestParams, method: string, password: Secret): DigestVerdict {
    const { username, nonce, uri, response, nc, cnonce, realm } = params
    const algorithm = algorithmOf(params)
    if (!username || !nonce || !uri || !response || !algorithm || realm !== this.realm) {
      return 'wrong'
    }
    const known = this.#nonces.get(nonce)
    if (!known || known.expires < this.#clock.now()) return 'stale'
    const expected = digestResponse({
      algorithm,
      username,
      realm,
      password,
      method,
      uri,
      nonce,
      ...(params['qop'] ? { nc, cnonce } : {}),
    })
    if (expected !== response.toLowerCase()) return 'wrong'
    const count = params['qop'] ? Number.parseInt(nc ?? '', 16) : known.count + 1
    if (!(count > known.count)) return 'stale'
    known.count = count
    return 'ok'
  }
}

/** What WhatsApp sends to a business that challenges it. */
export function answerChallenge(input: {
  challenge: string
  method: string
  uri: string
  username: string
  password: Secret
  random: Random
}): string | undefined {
  const params = parseDigest(input.challenge)
  const algorithm = params && algorithmOf(params)
  if (!params || !algorithm) return undefined
  const { realm = '', nonce = '', opaque, qop } = params
  const auth = qop?.split(',').some((item) => item.trim() === 'auth') ?? false
  const cnonce = alphanumeric(input.random, 30)
  const nc = '00000001'
  const response = digestResponse({
    ...input,
    algorithm,
    realm,
    nonce,
    ...(auth ? { nc, cnonce } : {}),
  })
  const parts = [
    `username="${input.username}"`,
    `realm="${realm}"`,
    `nonce="${nonce}"`,
    `uri="${input.uri}"`,
    `response="${response}"`,
  ]
  if (params['algorithm'] !== undefined) parts.push(`algorithm=${algorithm}`)
  if (auth) parts.push(`cnonce="${cnonce}"`)
  if (opaque !== undefined) parts.push(`opaque="${opaque}"`)
  if (auth) parts.push('qop=auth', `nc=${nc}`)
  return `Digest ${parts.join(', ')}`
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Random letters and digits. */
export function alphanumeric(random: Random, length: number): string {
  let text = ''
  for (let i = 0; i < length; i++) text += ALPHABET[random.int(0, ALPHABET.length)]
  return text
}
