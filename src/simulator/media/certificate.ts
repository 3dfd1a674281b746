import { createHash, generateKeyPairSync, sign, X509Certificate } from 'node:crypto'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { Secret } from '../../shared/secret.ts'
import { der } from '../der.ts'

/** An `a=fingerprint` line (RFC 8122 §5): hash function in lower case, value `AA:BB:…`. */
export interface Fingerprint {
  algorithm: string
  value: string
}

/** A certificate for DTLS, with its key. */
export interface DtlsCertificate {
  /** PEM. */
  cert: string
  /** PKCS #8 PEM. */
  key: Secret
  /** SHA-256 of the certificate. */
  fingerprint: Fingerprint
}

const DAY = 86_400_000
const ECDSA_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'

/** A self-signed ECDSA P-256 certificate, good for a month. */
export function makeDtlsCertificate(options: { clock: Clock; random: Random }): DtlsCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serial = options.random.bytes(8)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const name = der.sequence(
    der.set(der.sequence(der.oid(COMMON_NAME), der.utf8('WhatsApp simulator'))),
  )
  const algorithm = der.sequence(der.oid(ECDSA_SHA256))
  const now = options.clock.now()
  const body = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    algorithm,
    name,
    der.sequence(der.time(now - DAY), der.time(now + 30 * DAY)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
  )
  const signature = sign('sha256', body, { key: privateKey, dsaEncoding: 'der' })
  const { raw } = new X509Certificate(der.sequence(body, algorithm, der.bitString(signature)))
  return {
    cert: new X509Certificate(raw).toString(),
    key: new Secret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()),
    fingerprint: { algorithm: 'sha-256', value: digest('sha256', raw) },
  }
}

/** Whether a certificate is one of those a description announces. Unknown hash functions match nothing. */
export function matchesFingerprint(
  certificate: Buffer,
  announced: readonly Fingerprint[],
): boolean {
  return announced.some(({ algorithm, value }) => {
    const hash = HASHES[algorithm.toLowerCase()]
    return hash !== undefined && digest(hash, certificate) === value.toUpperCase()
  })
}

/** RFC 8122 §5; MD5 and MD2 are not to be used, SHA-1 is not believed here. */
const HASHES: Record<string, string | undefined> = {
  'sha-256': 'sha256',
  'sha-384': 'sha384',
  'sha-512': 'sha512',
}

function digest(hash: string, certificate: Buffer): string {
  const hex = createHash(hash).update(certificate).digest('hex').toUpperCase()
  return (hex.match(/../g) ?? []).join(':')
}
