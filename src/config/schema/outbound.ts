import { z } from 'zod'
import { flag, leafFacts, matching, oneOf, text } from '../leaf.ts'
import { NUMBER_SOURCES } from '../route-types.ts'
import { OUTBOUND_PLACEHOLDERS, parseTemplate } from '../templates.ts'
import { nameLeaf } from './names.ts'

const dialPrefix = z.strictObject({
  prefix: matching(/^[+*#\d]\d{0,14}$/, {
    expected: 'digits in quotes such as "91", or *91',
    why: 'this is not a dialled prefix',
    quotable: true,
  })
    .meta({ examples: ['91'] })
    .describe('Digits dialled first, in quotes. The longest that fits counts.'),
  number: nameLeaf()
    .meta({ examples: ['sales'] })
    .describe('Name of the number such calls leave from.'),
  strip: flag().prefault(true).describe('Whether the prefix is taken off what was dialled.'),
})

/** `trunks[].outbound` */
export const outboundSchema = z.strictObject({
  number: nameLeaf()
    .optional()
    .meta({ examples: ['support'] })
    .describe('Name of the number calls leave from, when nothing in `by` names one.'),
  to: text({ expected: 'a template such as "{dialed}"' }, (value) =>
    parseTemplate(value, OUTBOUND_PLACEHOLDERS),
  )
    .prefault('{dialed}')
    .describe('User part towards WhatsApp: `+E.164` or a BSUID.'),
  by: z
    .array(oneOf(NUMBER_SOURCES))
    .prefault([...NUMBER_SOURCES])
    .register(leafFacts, { expected: `a list of ${NUMBER_SOURCES.join(', ')}` })
    .describe(
      'What names the number a call leaves from, tried in this order: the dialled `prefixes`, P-Asserted-Identity, From, Diversion (RFC 5806) or History-Info (RFC 7044), where it holds one of `numbers`.',
    ),
  prefixes: z
    .array(dialPrefix)
    .max(1000)
    .prefault([])
    .describe('Prefixes the PBX dials to choose the number.'),
})
