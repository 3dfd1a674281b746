import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import type { Clock, Timer } from '../../shared/clock.ts'
import { CausewayError } from '../../shared/errors/index.ts'

/** What health and doctor show of a certificate. */
export interface CertificateInfo {
  /** Distinguished name, `CN=sip.example.com`. */
  subject: string
  issuer: string
  /** Subject alternative names with their type: `DNS:sip.example.com`. */
  names: string[]
  /** Milliseconds since the Unix epoch. */
  notBefore: number
  /** Milliseconds since the Unix epoch. */
  notAfter: number
  /** SHA-256, upper-case hexadecimal with colons. */
  fingerprint: string
}

/** A certificate as read from its files. */
export interface LoadedCertificate {
  /** For `tls.createServer` and `setSecureContext`. */
  context: SecureContextOptions
  info: CertificateInfo
}

/** PEM file paths. */
export interface CertificateFiles {
  cert: string
  key: string
}

/**
 * Reads and checks a certificate chain and its key. Throws SIP_CERTIFICATE_UNUSABLE, naming the
 * file at fault.
 */
export function loadCertificate(files: CertificateFiles): LoadedCertificate {
  const cert = read(files.cert)
  const key = read(files.key)
  const leaf = attempt(files.cert, () => new X509Certificate(cert))
  const privateKey = attempt(files.key, () => createPrivateKey(key))
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new CausewayError('SIP_CERTIFICATE_UNUSABLE', {
      detail: `the key in ${files.key} is not that of the certificate in ${files.cert}`,
      place: files.key,
    })
  }
  const context: SecureContextOptions = { cert, key, minVersion: 'TLSv1.2' }
  attempt(files.cert, () => createSecureContext(context))
  return { context, info: describe(leaf) }
}

function read(file: string): Buffer {
  return attempt(file, () => readFileSync(file))
}

function attempt<T>(file: string, action: () => T): T {
  try {
    return action()
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CausewayError('SIP_CERTIFICATE_UNUSABLE', {
      detail: `${file}: ${reason}`,
      place: file,
      cause,
    })
  }
}

function describe(certificate: X509Certificate): CertificateInfo {
  return {
    subject: certificate.subject.replaceAll('\n', ', '),
    issuer: certificate.issuer.replaceAll('\n', ', '),
    names: certificate.subjectAltName?.split(', ') ?? [],
    notBefore: Date.parse(certificate.validFrom),
    notAfter: Date.parse(certificate.validTo),
    fingerprint: certificate.fingerprint256,
  }
}

/**
 * Calls `changed` once the folders of the files have been quiet for `settle` milliseconds after a
 * change. The folders and not the files are watched: renewals replace files and links.
 */
export class CertificateWatcher {
  readonly #watchers: FSWatcher[] = []
  #timer: Timer | undefined

  constructor(files: CertificateFiles, clock: Clock, settle: number, changed: () => void) {
    for (const folder of new Set([dirname(files.cert), dirname(files.key)])) {
      const watcher = watch(folder, { persistent: false }, () => {
        this.#timer?.clear()
        this.#timer = clock.setTimeout(changed, settle)
      })
      // A folder that is removed under us ends its watch; the certificate in use stays.
      watcher.on('error', () => watcher.close())
      this.#watchers.push(watcher)
    }
  }

  close(): void {
    this.#timer?.clear()
    for (const watcher of this.#watchers) watcher.close()
  }
}
