import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  checkServerIdentity,
  createSecureContext,
  getCACertificates,
  type PeerCertificate,
  type SecureContext,
} from 'node:tls'
import { Secret } from '../../shared/secret.ts'
import type { TlsClientOptions } from './options.ts'
import type { MakeContext } from './tls-peers.ts'

/**
 * Builds the context of outbound TLS connections once: reading the trust anchors takes
 * milliseconds, connections share it.
 */
export function clientContext(options: TlsClientOptions = {}): SecureContext {
  const { ca = [], certificate } = options
  return createSecureContext({
    minVersion: 'TLSv1.2',
    ...(ca.length > 0 ? { ca: [...getCACertificates('default'), ...ca] } : {}),
    ...pair(certificate),
  })
}

/** Builds contexts of peers that have an authority or a certificate of their own. */
export function peerContext(options: TlsClientOptions): MakeContext {
  return ({ ca, certificate }) => {
    const own = certificate && { cert: certificate.cert, key: new Secret(certificate.key) }
    const general = own ? { ...options, certificate: own } : options
    if (ca === undefined) return clientContext(general)
    return createSecureContext({ minVersion: 'TLSv1.2', ca, ...pair(general.certificate) })
  }
}

function pair(certificate: TlsClientOptions['certificate']) {
  return certificate ? { cert: certificate.cert, key: certificate.key.reveal() } : {}
}

/**
 * Options of an outbound TLS connection that must prove to be `domain`. SNI carries the domain
 * unless it is an address (RFC 6066 §3). No ALPN is offered: WhatsApp's server aborts on `sip`.
 */
export function clientTlsOptions(context: SecureContext, domain: string): ConnectionOptions {
  return {
    secureContext: context,
    servername: isIP(domain) ? '' : domain,
    rejectUnauthorized: true,
    checkServerIdentity: (_host, certificate) => verifyDomain(domain, certificate),
  }
}

/**
 * Whether a certificate, its chain already verified, stands for a SIP domain (RFC 5922 §7.1): by a
 * `sip:` URI entry of its alternative names, or by the rules of HTTPS for the others.
 */
export function verifyDomain(
  domain: string,
  certificate: Pick<PeerCertificate, 'subject' | 'subjectaltname'>,
): Error | undefined {
  if (sipDomains(certificate.subjectaltname ?? '').includes(domain.toLowerCase())) return undefined
  return checkServerIdentity(domain, certificate as PeerCertificate)
}

/** Domains of `URI:sip:example.com` entries; user parts never count (RFC 5922 §7.1). */
function sipDomains(names: string): string[] {
  // Quotes mark an entry with special characters, which might pretend to be several.
  if (names.includes('"')) return []
  return names.split(', ').flatMap((name) => {
    const match = /^URI:sips?:([a-z0-9.-]+)$/i.exec(name)
    return match ? [match[1]!.toLowerCase()] : []
  })
}
