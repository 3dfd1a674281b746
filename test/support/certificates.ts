import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { isIPv4 } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { der } from '../../src/simulator/der.ts'

/** A certificate with its key, as PEM texts. */
export interface TestCertificate {
  /** The certificate alone. */
  cert: string
  /** PKCS#8 private key. */
  key: string
}

/** A certificate authority of the tests; `cert` is the trust anchor. */
export interface TestCa extends TestCertificate {
  readonly subject: Buffer
  readonly keyId: Buffer
  readonly privateKey: KeyObject
}

export interface CertificateOptions {
  /** Default: signed by itself. */
  ca?: TestCa
  /** dNSName entries; the first is the common name too. */
  dns?: string[]
  /** iPAddress entries, IPv4 or IPv6. */
  ip?: string[]
  /** uniformResourceIdentifier entries, `sip:example.com` (RFC 5922 §4). */
  uri?: string[]
  /** Common name; default: the first DNS name, else `test`. */
  name?: string
  notBefore?: Date
  notAfter?: Date
}

const DAY = 86_400_000
const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'))

/** Makes an authority: self-signed, or signed by another one. */
export function makeCa(name = 'Causeway test CA', issuer?: TestCa): TestCa {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const subject = nameOf(name)
  const keyId = keyIdOf(publicKey)
  const cert = issue({
    subject,
    publicKey,
    issuer: issuer ?? { subject, keyId, privateKey },
    notBefore: new Date(Date.now() - DAY),
    notAfter: new Date(Date.now() + 30 * DAY),
    extensions: [
      extension('2.5.29.19', der.sequence(der.boolean(true)), true),
      extension('2.5.29.15', der.bitString(Buffer.from([0x06]), 1), true),
    ],
  })
  return { cert, key: pemOf(privateKey), subject, keyId, privateKey }
}

/** Makes a certificate for servers and clients. */
export function makeCert(options: CertificateOptions): TestCertificate {
  const { ca, dns = [], ip = [], uri = [] } = options
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const names = der.sequence(
    ...dns.map((value) => der.implicit(2, Buffer.from(value))),
    ...uri.map((value) => der.implicit(6, Buffer.from(value))),
    ...ip.map((value) => der.implicit(7, ipBytes(value))),
  )
  const subject = nameOf(options.name ?? dns[0] ?? 'test')
  const cert = issue({
    subject,
    publicKey,
    issuer: ca ?? { subject, keyId: keyIdOf(publicKey), privateKey },
    notBefore: options.notBefore ?? new Date(Date.now() - DAY),
    notAfter: options.notAfter ?? new Date(Date.now() + 30 * DAY),
    extensions: [
      extension('2.5.29.15', der.bitString(Buffer.from([0x80]), 7), true),
      extension(
        '2.5.29.37',
        der.sequence(der.oid('1.3.6.1.5.5.7.3.1'), der.oid('1.3.6.1.5.5.7.3.2')),
      ),
      extension('2.5.29.17', names),
    ],
  })
  return { cert, key: pemOf(privateKey) }
}

/** A folder that is gone when the test process ends. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-cert-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Writes a certificate and its key into a folder, a new temporary one by default. */
export function writeCertificate(
  certificate: TestCertificate,
  folder = temporaryFolder(),
): { folder: string; cert: string; key: string } {
  const cert = join(folder, 'cert.pem')
  const key = join(folder, 'key.pem')
  writeFileSync(cert, certificate.cert)
  writeFileSync(key, certificate.key, { mode: 0o600 })
  return { folder, cert, key }
}

interface Issue {
  subject: Buffer
  publicKey: KeyObject
  issuer: Pick<TestCa, 'subject' | 'keyId' | 'privateKey'>
  notBefore: Date
  notAfter: Date
  extensions: Buffer[]
}

/** Builds and signs a certificate (RFC 5280 §4.1). */
function issue(options: Issue): string {
  const { issuer, publicKey } = options
  const serial = randomBytes(12)
  serial[0] = (serial[0]! & 0x7f) | 0x40
  const tbs = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serial),
    ECDSA_SHA256,
    issuer.subject,
    der.sequence(der.time(options.notBefore.getTime()), der.time(options.notAfter.getTime())),
    options.subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der.explicit(
      3,
      der.sequence(
        ...options.extensions,
        extension('2.5.29.14', der.octetString(keyIdOf(publicKey))),
        extension('2.5.29.35', der.sequence(der.implicit(0, issuer.keyId))),
      ),
    ),
  )
  const signed = der.sequence(
    tbs,
    ECDSA_SHA256,
    der.bitString(sign('sha256', tbs, issuer.privateKey)),
  )
  const lines = signed.toString('base64').replace(/.{64}/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines.trimEnd()}\n-----END CERTIFICATE-----\n`
}

function nameOf(commonName: string): Buffer {
  return der.sequence(der.set(der.sequence(der.oid('2.5.4.3'), der.utf8(commonName))))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.boolean(true)] : []), der.octetString(value))
}

function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash('sha1')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest()
}

function pemOf(privateKey: KeyObject): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
}

/** The 4 or 16 bytes of an IP address. */
function ipBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail] = address.split('::')
  const left = head.split(':').filter(Boolean)
  const right = (tail ?? '').split(':').filter(Boolean)
  const middle = tail === undefined ? [] : Array(8 - left.length - right.length).fill('0')
  const words = [...left, ...middle, ...right].map((word) => Number.parseInt(word, 16))
  return Buffer.from(words.flatMap((word) => [word >> 8, word & 0xff]))
}
