import { variableOf, WHATSAPP_HEADERS } from '../headers.ts'
import type { NumberFacts, PbxFile, PbxOptions, TrunkFacts } from '../types.ts'
import { dtmfVariable, mediaVariables } from './codecs.ts'
import type { Names } from './names.ts'
import { action, attribute, comment, file, literal } from './xml.ts'

const IN = '      '
/** Seconds before Causeway gives up that the dialplan goes on. */
const HEAD_START = 5

/** Calls from WhatsApp, in context public. */
export function fromWhatsAppFile(facts: TrunkFacts, names: Names, options: PbxOptions): PbxFile {
  const numbers: (NumberFacts | undefined)[] =
    facts.numbers.length > 0 ? facts.numbers : [undefined]
  return {
    name: names.file('dialplan/public'),
    about: 'calls from WhatsApp',
    contents: file(
      [
        `Trunk ${facts.name} between Causeway and FreeSWITCH: calls from WhatsApp. The stock context public includes this`,
        'folder; after a change: reloadxml',
        '',
        'The caller is the consumer, + and digits, or a user id such as FR.13491208655302741918: do not assume digits.',
        "Bridge rather than answer first: an answer starts the consumer's call timer.",
      ],
      ring(names, options),
      ...numbers.map((number) => extension(facts, names, number, options)),
    ),
  }
}

/** The destination, to be changed in one place. */
function ring(names: Names, { extension }: PbxOptions): string {
  const [name, context] = extension.split('@') as [string, string | undefined]
  const [about, value] =
    context === undefined
      ? ['CHANGE: who is called, a dial string', `user/${name}`]
      : ['CHANGE: where calls go on: extension, XML, context', `${name} XML ${context}`]
  const data = `${names.prefix}_ring=${attribute(value)}`
  return `${comment('  ', about)}\n  <X-PRE-PROCESS cmd="set" data="${data}"/>`
}

function extension(
  facts: TrunkFacts,
  names: Names,
  number: NumberFacts | undefined,
  options: PbxOptions,
): string {
  const seconds = Math.max(HEAD_START, (number?.ringSeconds ?? 45) - HEAD_START)
  const expression =
    number?.user === undefined
      ? '^\\+?\\d+$'
      : `^${attribute(literal(number.user)).replaceAll('&#36;', '$')}$`
  const about = number
    ? `${number.name}, ${number.phoneNumber}. Causeway gives up after ${number.ringSeconds} s (inbound.ring_timeout).`
    : 'Every number: none of the configuration names this trunk.'
  const media = [...mediaVariables(facts.srtp, 'inbound'), dtmfVariable(facts.dtmf)]
  return [
    comment('  ', about),
    `  <extension name="causeway-${facts.name}-from-whatsapp${number ? `-${number.name}` : ''}">`,
    origin(facts, names),
    `    <condition field="destination_number" expression="${expression}">`,
    ...media.map((variable) => action(IN, 'set', variable)),
    comment(
      IN,
      'What WhatsApp says of the call, for this leg and those it dials. Payloads are written by others.',
    ),
    ...WHATSAPP_HEADERS.map(({ header }) =>
      action(IN, 'export', `${variableOf(header).toLowerCase()}=\${sip_h_${header}}`),
    ),
    action(
      IN,
      'log',
      'INFO WhatsApp call ${whatsapp_wacid} from ${caller_id_number} to ${destination_number}',
    ),
    ...(options.extension.includes('@')
      ? [action(IN, 'transfer', `$\${${names.prefix}_ring}`)]
      : [
          action(IN, 'set', `call_timeout=${seconds}`),
          action(IN, 'set', 'hangup_after_bridge=true'),
          action(IN, 'set', 'continue_on_fail=true'),
          action(IN, 'bridge', `$\${${names.prefix}_ring}`),
          comment(IN, 'Nobody answered: busy, declined, out of order; WhatsApp is told which'),
          action(IN, 'hangup', '${originate_disposition}'),
        ]),
    '    </condition>',
    '  </extension>',
  ].join('\n')
}

/** Only Causeway may come in here: by its address, or by its account. */
function origin({ mode, ours }: TrunkFacts, names: Names): string {
  if (mode === 'causeway-registers' && ours) {
    const user = attribute(literal(ours.username)).replaceAll('&#36;', '$')
    return `    <condition field="\${sip_auth_username}" expression="^${user}$"/>`
  }
  return `    <condition field="\${acl(\${network_addr} ${names.acl})}" expression="^true$"/>`
}
