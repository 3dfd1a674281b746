import { causesToPbx } from '../causes.ts'
import type { PbxFile, TrunkFacts } from '../types.ts'
import { codecString, dtmfVariable, mediaVariables } from './codecs.ts'
import type { Names } from './names.ts'
import { action, attribute, comment, file } from './xml.ts'

const IN = '      '

/** Calls to WhatsApp, in context default. */
export function toWhatsAppFile(facts: TrunkFacts, names: Names): PbxFile {
  const { prefix } = names
  const { caller, callers } = facts
  const about =
    caller === undefined
      ? 'CHANGE: outbound.number of the trunk is not set, so the caller must be a business number.'
      : 'The business number the consumer sees. Where your dialplan sets one itself, leave effective_caller_id_number out.'
  const number = caller ?? callers[0] ?? ''
  return {
    name: names.file('dialplan/default'),
    about: 'calls to WhatsApp',
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: calls to WhatsApp. The stock context default includes this`,
        'folder; after a change: reloadxml',
        '',
        ...causeLines(),
      ],
      [
        comment(
          '  ',
          about,
          ...(callers.length > 1 ? [`Business numbers: ${callers.join(', ')}.`] : []),
        ),
        `  <X-PRE-PROCESS cmd="set" data="${prefix}_number=${number}"/>`,
        comment('  ', 'media.codecs of the trunk; WhatsApp demands 20 ms, and Opus passes through'),
        `  <X-PRE-PROCESS cmd="set" data="${prefix}_codecs=${codecString(facts.codecs)}"/>`,
      ].join('\n'),
      extension(facts, names, {
        name: 'number',
        about: 'With the country code: +33199001234 or 0033199001234',
        expression: '^(?:\\+|00)([1-9]\\d{6,14})$',
        dialled: '+$1',
      }),
      extension(facts, names, {
        name: 'user-id',
        about: 'A user id, such as FR.13491208655302741918, as calls from WhatsApp have it',
        expression: '^([A-Z]{2}\\.\\d+)$',
        dialled: '$1',
      }),
      comment(
        '  ',
        'National numbers: the same with your country code, such as',
        '<condition field="destination_number" expression="^0([1-9]\\d+)$"> and +44$1 in bridge.',
      ),
    ),
  }
}

interface Rule {
  name: string
  about: string
  expression: string
  dialled: string
}

function extension(facts: TrunkFacts, names: Names, rule: Rule): string {
  const { prefix } = names
  const exports = [
    `absolute_codec_string=$\${${prefix}_codecs}`,
    dtmfVariable(facts.dtmf),
    ...mediaVariables(facts.srtp, 'outbound'),
  ]
  return [
    comment('  ', rule.about),
    `  <extension name="causeway-${facts.name}-to-whatsapp-${rule.name}">`,
    `    <condition field="destination_number" expression="${rule.expression}">`,
    action(IN, 'set', `effective_caller_id_number=$\${${prefix}_number}`),
    action(IN, 'set', 'hangup_after_bridge=true'),
    action(IN, 'set', 'continue_on_fail=true'),
    comment(IN, 'Of the leg to Causeway alone'),
    ...exports.map((variable) => action(IN, 'export', `nolocal:${variable}`)),
    action(IN, 'bridge', dialString(facts, names, rule.dialled)),
    comment(IN, 'Nobody answered. Announcements go here, by cause; the caller is told it'),
    action(
      IN,
      'log',
      'NOTICE WhatsApp ${destination_number}: ${last_bridge_proto_specific_hangup_cause} ${originate_disposition}',
    ),
    action(IN, 'hangup', '${originate_disposition}'),
    '    </condition>',
    '  </extension>',
  ].join('\n')
}

/** By the gateway, or, where Causeway registers, at the address it registered with another user. */
function dialString({ mode, ours }: TrunkFacts, names: Names, dialled: string): string {
  if (mode !== 'causeway-registers' || !ours) return `sofia/gateway/${names.gateway}/${dialled}`
  const contact = `\${sofia_contact(internal/${attribute(ours.username)}@$\${domain})}`
  return `\${regex(${contact}|^[^@]+(.*)|sofia/internal/${dialled}%1)}`
}

/** What failures mean, by the name FreeSWITCH has for the Q.850 cause. */
function causeLines(): string[] {
  const lines = causesToPbx().flatMap(({ q850, errors }) =>
    errors.map(({ code, sip, summary }) => `  ${q850} / ${sip} ${code}: ${summary}`),
  )
  return [
    'A call that fails has a Q.850 cause and a SIP status (last_bridge_proto_specific_hangup_cause); the code of',
    'Causeway stands in Warning ("sofia global siptrace on"). They are:',
    ...lines,
  ]
}
