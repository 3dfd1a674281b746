import type { PbxFile, PbxOptions, TrunkFacts } from '../types.ts'
import { fromWhatsApp, readHeaders } from './from-whatsapp.ts'
import { namesOf } from './names.ts'
import { comment, file } from './text.ts'
import { failures, toWhatsApp } from './to-whatsapp.ts'

/** `causeway-<trunk>.extensions.conf`: the dialplan both ways. */
export function dialplanFile(facts: TrunkFacts, options: PbxOptions): PbxFile {
  const names = namesOf(facts)
  const name = `causeway-${facts.name}.extensions.conf`
  return {
    name,
    about: 'the dialplan, both ways',
    contents: file(
      comment(
        `Dialplan of trunk ${facts.name} between Causeway and Asterisk. Include it at the end of extensions.conf:`,
        '',
        `  #include "${name}"`,
        '',
        'Lines marked CHANGE are yours: who is called depends on your PBX.',
      ),
      fromWhatsApp(facts, names, options),
      readHeaders(names),
      toWhatsApp(facts, names),
      failures(names),
    ),
  }
}
