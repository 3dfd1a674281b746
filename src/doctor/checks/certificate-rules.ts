import { checkServerIdentity } from 'node:tls'
import { pass, problem } from '../finding.ts'
import type { Handshake, NoHandshake } from '../probe/tls.ts'
import type { Finding } from '../types.ts'

const DAY = 86_400_000
/** Days before its end from which a certificate warns, as in the health report. */
const WARNING = 14

/** What the certificate of a connection is judged by. */
export interface CertificateFacts {
  /** Name WhatsApp verifies. */
  domain: string
  /** Milliseconds since the Unix epoch. */
  now: number
}

/** Judges one connection to our listener as WhatsApp would: time, name, chain. One finding. */
export function judgeCertificate(
  seen: Pick<Handshake, 'certificate' | 'peer' | 'chainError' | 'flight'>,
  { domain, now }: CertificateFacts,
): Finding {
  const { certificate, peer, chainError, flight } = seen
  const from = Date.parse(certificate.validFrom)
  const to = Date.parse(certificate.validTo)
  const until = new Date(to).toISOString().slice(0, 10)
  if (now > to) {
    const evidence = `expired on ${until}, ${days(now - to)} ago`
    return problem('fail', 'DOCTOR_CERTIFICATE_EXPIRED', { evidence })
  }
  if (now < from) {
    const evidence = `not valid before ${new Date(from).toISOString()}`
    return problem('fail', 'DOCTOR_CERTIFICATE_EXPIRED', { evidence })
  }
  if (checkServerIdentity(domain, peer)) {
    const names = certificate.subjectAltName ?? 'no name'
    return problem('fail', 'DOCTOR_CERTIFICATE_NAME', {
      evidence: `it covers ${names}, not ${domain}`,
    })
  }
  const wrong = chainError && judgeChain(chainError, flight?.certificates.length)
  if (wrong) return wrong
  const left = to - now
  if (left < WARNING * DAY) {
    return problem('warn', 'DOCTOR_CERTIFICATE_EXPIRING', {
      evidence: `valid until ${until}, ${days(left)} left`,
    })
  }
  const chain = flight ? `, ${flight.certificates.length} in the chain` : ''
  return pass(`${domain} until ${until} (${days(left)})${chain}`)
}

/**
 * What OpenSSL's reason means for the owner of the certificate.
 *
 * @param sent how many certificates the server sent, where that is known
 */
export function judgeChain(reason: string, sent: number | undefined): Finding {
  const count = sent === undefined ? '' : `, ${sent} certificate${sent === 1 ? '' : 's'} sent`
  const evidence = `${reason}${count}`
  if (/EXPIRED|NOT_YET_VALID/.test(reason)) {
    return problem('fail', 'DOCTOR_CERTIFICATE_EXPIRED', {
      evidence: `a certificate of the chain: ${evidence}`,
    })
  }
  if (/SELF_SIGNED_CERT_IN_CHAIN/.test(reason)) {
    return problem('fail', 'DOCTOR_CERTIFICATE_UNTRUSTED', { evidence })
  }
  if (/SELF_SIGNED/.test(reason)) {
    return problem('fail', 'DOCTOR_CERTIFICATE_SELF_SIGNED', { evidence })
  }
  // Alone, without the certificate that signed it, nobody can build the chain.
  if (/UNABLE_TO_VERIFY_LEAF|UNABLE_TO_GET_ISSUER/.test(reason) && (sent ?? 1) < 2) {
    return problem('fail', 'DOCTOR_CERTIFICATE_CHAIN', { evidence })
  }
  return problem('fail', 'DOCTOR_CERTIFICATE_UNTRUSTED', { evidence })
}

/** Judges a request for a client certificate. */
export function judgeRequest(flight: Handshake['flight']): Finding | undefined {
  if (!flight?.requestsCertificate) return undefined
  const evidence = 'CertificateRequest in the handshake'
  return problem('warn', 'DOCTOR_CLIENT_CERTIFICATE', { evidence })
}

/** Judges a handshake that did not come about although somebody listens. */
export function judgeRefusal(refused: NoHandshake): Finding {
  const { code, message, flight } = refused
  const evidence = `${code}: ${message.replace(/^[0-9A-F]+:error:/, '').slice(0, 160)}`
  const demanded = flight.requestsCertificate || /CERTIFICATE_REQUIRED/.test(code)
  return problem('fail', demanded ? 'DOCTOR_CLIENT_CERTIFICATE' : 'DOCTOR_TLS_HANDSHAKE', {
    evidence,
  })
}

function days(ms: number): string {
  const whole = Math.floor(ms / DAY)
  return whole === 1 ? '1 day' : `${whole} days`
}
