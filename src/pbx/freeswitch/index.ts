import type { Generated, PbxOptions, TrunkFacts } from '../types.ts'
import { aclFile } from './acl.ts'
import { fromWhatsAppFile } from './from-whatsapp.ts'
import { directoryFile, gatewayFile } from './gateway.ts'
import { namesOf } from './names.ts'
import { profileFile } from './profile.ts'
import { toWhatsAppFile } from './to-whatsapp.ts'

/** Configuration of FreeSWITCH for trunks, in the folders of the stock configuration. */
export function freeswitch(trunks: readonly TrunkFacts[], options: PbxOptions): Generated {
  const files = trunks.flatMap((facts) => {
    const names = namesOf(facts)
    const entry =
      facts.mode === 'causeway-registers'
        ? [directoryFile(facts, names, options)]
        : [gatewayFile(facts, names, options), aclFile(facts, names)]
    return [
      ...entry,
      profileFile(facts, names),
      fromWhatsAppFile(facts, names, options),
      toWhatsAppFile(facts, names),
    ]
  })
  return { files, notes: [] }
}
