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
  return { files, notes: trunks.flatMap(includes) }
}

/** What has to be included by hand: the lines themselves, as a comment in a file would be carried out. */
function includes(facts: TrunkFacts): string[] {
  const { profile } = namesOf(facts)
  const line = (what: string): string =>
    `<X-PRE-PROCESS cmd="include" data="../causeway/${what}-${facts.name}.xml"/>`
  const settings = `put ${line('profile')} at the end of <settings> of sip_profiles/${profile}.xml`
  if (facts.mode === 'causeway-registers') return [settings]
  return [`put ${line('acl')} into <network-lists> of autoload_configs/acl.conf.xml`, settings]
}
