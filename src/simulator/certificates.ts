import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'
import { Secret } from '../shared/secret.ts'
import { der } from './der.ts'

const DAY = 86_400_000
const oids = {
  ecdsaSha256: '1.2.840.10045.4.3.2',
  commonName: '2.5.4.3',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
}

/** A certificate and its key, ready for `node:tls`. */
export interface IssuedCertificate {
  /** PEM of the certificate alone; the CA is the trust anchor. */
  cert: string
  /** PKCS #8 PEM. */
  key: Secret
}

/** A name as the subject alternative name carries it: a DNS name or an IP literal. */
export interface IssueOptions {
  /** DNS names and IP literals. The first one is the common name. */
  names: string[]
  /** Days from now until the certificate expires. Default 30. */
  days?: number
}

/**
 * A certificate authority of its own (ECDSA P-256, X.509 v3), for labs: signs the certificate of
 * `wa.meta.vc` and, on request, that of the customer's host name.
 */
export class LabAuthority {
  /** PEM of the CA certificate: the trust anchor a lab's clients need. */
  readonly cert: string
  readonly #key: KeyObject
  readonly #keyId: Buffer
  readonly #name: string
  readonly #clock: Clock
  readonly #random: Random

  constructor(options: { clock: Clock; random: Random; name?: string }) {
    this.#clock = options.clock
    this.#random = options.random
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = pair.privateKey
    this.#keyId = keyIdentifier(pair.publicKey)
    this.#name = options.name ?? 'Causeway lab CA'
    this.cert = this.#sign(this.#name, pair.publicKey, 365, [
      extension(oids.basicConstraints, der.sequence(der.boolean(true)), true),
      // keyCertSign and cRLSign (RFC 5280 §4.2.1.3)
      extension(oids.keyUsage, der.bitString(Buffer.from([0x06]), 1), true),
      extension(oids.subjectKeyId, der.octetString(this.#keyId)),
    ])
  }

  /** Issues a certificate for servers and clients alike. Throws RangeError without a name. */
  issue(options: IssueOptions): IssuedCertificate {
    const [common] = options.names
    if (!common) throw new RangeError('a certificate needs at least one name')
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const cert = this.#sign(common, pair.publicKey, options.days ?? 30, [
      extension(oids.basicConstraints, der.sequence(), true),
      extension(oids.keyUsage, der.bitString(Buffer.from([0x80]), 7), true),
      extension(
        oids.extendedKeyUsage,
        der.sequence(der.oid(oids.serverAuth), der.oid(oids.clientAuth)),
      ),
      extension(oids.subjectAltName, der.sequence(...options.names.map(generalName))),
      extension(oids.subjectKeyId, der.octetString(keyIdentifier(pair.publicKey))),
      extension(oids.authorityKeyId, der.sequence(der.implicit(0, this.#keyId))),
    ])
    const key = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    return { cert, key: new Secret(key) }
  }

  #sign(subject: string, publicKey: KeyObject, days: number, extensions: Buffer[]): string {
    const algorithm = der.sequence(der.oid(oids.ecdsaSha256))
    const serial = this.#random.bytes(16)
    serial[0] = (serial[0]! & 0x7f) | 0x40
    const now = this.#clock.now()
    const body = der.sequence(
      der.explicit(0, der.integer(Buffer.from([2]))),
      der.integer(serial),
      algorithm,
      distinguishedName(this.#name),
      // An hour back, for labs whose clocks differ.
      der.sequence(der.time(now - DAY / 24), der.time(now + days * DAY)),
      distinguishedName(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      der.explicit(3, der.sequence(...extensions)),
    )
    const signature = sign('sha256', body, { key: this.#key, dsaEncoding: 'der' })
    return pem('CERTIFICATE', der.sequence(body, algorithm, der.bitString(signature)))
  }
}

function distinguishedName(common: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid(oids.commonName), der.utf8(common))))
}

function extension(oid: string, value: Buffer, critical = false): Buffer {
  const flag = critical ? [der.boolean(true)] : []
  return der.sequence(der.oid(oid), ...flag, der.octetString(value))
}

/** RFC 5280 §4.2.1.6: dNSName is [2], iPAddress [7]. */
function generalName(name: string): Buffer {
  if (isIP(name) === 4) return der.implicit(7, Buffer.from(name.split('.').map(Number)))
  if (isIP(name) === 6) return der.implicit(7, ipv6Bytes(name))
  return der.implicit(2, Buffer.from(name))
}

function ipv6Bytes(address: string): Buffer {
  const [head = '', tail] = address.split('::')
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const all = [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right]
  return Buffer.from(all.flatMap((group) => [group >> 8, group & 0xff]))
}

/** SHA-1 of the public key bits (RFC 5280 §4.2.1.2, method 1). */
function keyIdentifier(publicKey: KeyObject): Buffer {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  // An uncompressed P-256 point is the last 65 bytes of its SubjectPublicKeyInfo.
  return createHash('sha1').update(spki.subarray(-65)).digest()
}

function pem(label: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
