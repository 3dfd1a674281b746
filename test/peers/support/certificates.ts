import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeCa, makeCert, writeCertificate } from '../../support/certificates.ts'
import { DOMAIN } from './configuration.ts'

/** Writes an authority into the folder, and what it gave to Causeway and to WhatsApp. */
export function labCertificates(folder: string) {
  const ca = makeCa()
  const part = (name: string, dns: string) => {
    mkdirSync(join(folder, name))
    return writeCertificate(makeCert({ ca, dns: [dns] }), join(folder, name))
  }
  const own = part('causeway', DOMAIN)
  const whatsapp = part('whatsapp', 'wa.meta.vc')
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, ca.cert)
  return { ca, own, whatsapp, caFile }
}
