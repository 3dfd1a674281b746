import type { Config } from '../config/types.ts'
import { loadCertificate } from '../embedded-drachtio/index.ts'
import { readAnchor } from '../settings/index.ts'

/**
 * Reads the files a configuration names and a reload would read: what is wrong with them is said
 * before anything is changed.
 *
 * @throws CausewayError SIP_CERTIFICATE_UNUSABLE, SETTINGS_CA_UNREADABLE
 */
export function verifyFiles({ sip, whatsapp }: Config): void {
  const secured = [sip.listen.whatsapp, ...sip.listen.pbx].some(
    ({ transport }) => transport === 'tls',
  )
  // A drachtio-server elsewhere reads its own.
  if (secured && sip.tls && sip.server.kind === 'embedded') loadCertificate(sip.tls)
  if (whatsapp.ca !== undefined) readAnchor(whatsapp.ca)
}
