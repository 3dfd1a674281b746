import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { Config, TrunkTlsConfig } from '../../config/types.ts'
import { anchorsOf, type Trust } from '../context.ts'
import { NoAnswer } from './sip.ts'

/**
 * What connections to a trunk's targets trust and present, after `trunks[].tls`.
 *
 * @throws NoAnswer of a file that cannot be used
 */
export function trunkTrust({ whatsapp }: Config, { certificate, ca }: TrunkTlsConfig): Trust {
  try {
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      ca: ca === undefined ? anchorsOf(whatsapp.ca) : readFileSync(ca),
      ...(certificate
        ? { cert: readFileSync(certificate.cert), key: readFileSync(certificate.key) }
        : {}),
    })
    return () => context
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new NoAnswer('certificate', `the files of trunks[].tls cannot be used: ${reason}`)
  }
}
