import { isIP } from 'node:net'
import type { PbxFile, TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment, file } from './xml.ts'

/** The list of Causeway's addresses, for acl.conf.xml. */
export function aclFile(facts: TrunkFacts, names: Names): PbxFile {
  const known = facts.sources.filter((source) => isIP(source) !== 0)
  const nodes =
    known.length > 0
      ? known.map((ip) => `    <node type="allow" cidr="${ip}/${isIP(ip) === 4 ? 32 : 128}"/>`)
      : [
          comment(
            '    ',
            `CHECK: a list takes addresses, and the configuration has none but ${facts.sources.join(', ')}. Put the one Causeway`,
            'calls from here, or generate with the option host; until then no call from WhatsApp is taken.',
            '<node type="allow" cidr="192.0.2.5/32"/>',
          ),
        ]
  return {
    name: `causeway/acl-${facts.name}.xml`,
    about: 'who is taken for Causeway; include it in acl.conf.xml',
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: the addresses of Causeway, to be included in`,
        'autoload_configs/acl.conf.xml, inside network-lists.',
        'After a change: reloadacl',
      ],
      `  <list name="${names.acl}" default="deny">\n${nodes.join('\n')}\n  </list>`,
    ),
  }
}
