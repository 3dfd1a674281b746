import { createHash } from 'node:crypto'

/** Hash names of RFC 7616 §6.1 as OpenSSL calls them. */
const HASHES: Record<string, string> = {
  MD5: 'md5',
  'SHA-256': 'sha256',
  'SHA-512-256': 'sha512-256',
}

/** Parameters of a Digest header value. */
export function digestParams(value: string): Record<string, string> {
  const params: Record<string, string> = {}
  for (const [, name, quoted, token] of value
    .replace(/^Digest\s+/i, '')
    .matchAll(/([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))/g)) {
    params[name!.toLowerCase()] = quoted ?? token!
  }
  return params
}

export interface DigestUse {
  username: string
  password: string
  method: string
  uri: string
  nc?: string
  cnonce?: string
}

/** The `response` of RFC 7616 §3.4.1 (RFC 2069's without qop). */
export function digestResponse(params: Record<string, string>, use: DigestUse): string {
  const algorithm = params['algorithm'] ?? 'MD5'
  const hash = (text: string) =>
    createHash(HASHES[algorithm.toUpperCase()]!).update(text).digest('hex')
  const ha1 = hash(`${use.username}:${params['realm']}:${use.password}`)
  const ha2 = hash(`${use.method}:${use.uri}`)
  if (params['qop'] === undefined) return hash(`${ha1}:${params['nonce']}:${ha2}`)
  return hash(`${ha1}:${params['nonce']}:${use.nc}:${use.cnonce}:auth:${ha2}`)
}

/** The value that answers a challenge, in the shape WhatsApp sends it. */
export function answerDigest(challenge: string, use: DigestUse): string {
  const params = digestParams(challenge)
  const { nc = '00000001', cnonce = 'Zk3ZdqPcWb7f0aYtR5uV9xJ2mN8sLhGe' } = use
  const value = digestResponse(params, { ...use, nc, cnonce })
  return [
    `Digest username="${use.username}"`,
    `realm="${params['realm']}"`,
    `nonce="${params['nonce']}"`,
    `uri="${use.uri}"`,
    `response="${value}"`,
    ...(params['algorithm'] ? [`algorithm=${params['algorithm']}`] : []),
    `cnonce="${cnonce}"`,
    ...(params['opaque'] ? [`opaque="${params['opaque']}"`] : []),
    ...(params['qop'] ? ['qop=auth', `nc=${nc}`] : []),
  ].join(', ')
}

/** Whether a Proxy-Authorization value is right for the password. */
export function verifyDigest(value: string, method: string, password: string): boolean {
  const params = digestParams(value)
  const { username = '', uri = '', nc, cnonce, response } = params
  const use = {
    username,
    uri,
    method,
    password,
    ...(nc ? { nc } : {}),
    ...(cnonce ? { cnonce } : {}),
  }
  return response === digestResponse(params, use)
}
