import { variableOf, WHATSAPP_HEADERS } from '../headers.ts'
import type { NumberFacts, PbxOptions, TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment } from './text.ts'

/** Seconds before Causeway gives up that the dialplan goes on: voicemail, another queue. */
const HEAD_START = 5

/** The context calls from WhatsApp come into. */
export function fromWhatsApp(facts: TrunkFacts, names: Names, options: PbxOptions): string {
  const numbers: (NumberFacts | undefined)[] =
    facts.numbers.length > 0 ? facts.numbers : [undefined]
  return [
    comment(
      'Calls from WhatsApp. The extension is what inbound.to of the number makes of it; CALLERID(num) is the consumer,',
      '+ and digits, or a user id such as FR.13491208655302741918: do not assume digits.',
      "Ring before you answer: an Answer() starts the consumer's call timer.",
    ),
    `[${names.from}]`,
    ...numbers.flatMap((number) => extension(number, names, options)),
  ].join('\n')
}

function extension(
  number: NumberFacts | undefined,
  names: Names,
  { extension }: PbxOptions,
): string[] {
  const about = number
    ? `${number.name}, ${number.phoneNumber}. Causeway gives up after ${number.ringSeconds} s (inbound.ring_timeout).`
    : 'Every number: none of the configuration names this trunk.'
  const seconds = Math.max(HEAD_START, (number?.ringSeconds ?? 45) - HEAD_START)
  const [first, ...more] = patterns(number)
  const [name, context] = extension.split('@') as [string, string | undefined]
  const rings =
    context === undefined
      ? [
          ` same => n,Dial(PJSIP/${name},${seconds})        ; CHANGE: who is called`,
          ' same => n,GotoIf($["${DIALSTATUS}" = "NOANSWER"]?nobody)',
          ' same => n,Hangup(${HANGUPCAUSE})            ; busy, declined, out of order: WhatsApp is told',
          ' same => n(nobody),Hangup(19)',
        ]
      : [` same => n,Goto(${context},${name},1)           ; CHANGE: where the call goes on`]
  return [
    `; ${about}`,
    `exten => ${first},1,Gosub(${names.headers},s,1)`,
    ' same => n,NoOp(WhatsApp call ${WHATSAPP_WACID} from ${CALLERID(num)} to ${EXTEN})',
    ...rings,
    ...more.map(
      (pattern) => `exten => ${pattern},1,Goto(${first === '_+X.' ? '+${EXTEN}' : first},1)`,
    ),
  ]
}

/** Extensions of a number; without one that is known, everything that looks like one. */
function patterns(number: NumberFacts | undefined): string[] {
  if (number?.user !== undefined) return [number.user]
  return ['_+X.', '_X.']
}

/** The subroutine that puts the headers into variables. */
export function readHeaders(names: Names): string {
  const lines = WHATSAPP_HEADERS.map(({ header, about }, index) => {
    const set = `Set(__${variableOf(header)}=\${PJSIP_HEADER(read,${header})})`
    return [`; ${about}`, index === 0 ? `exten => s,1,${set}` : ` same => n,${set}`]
  })
  return [
    comment(
      'What WhatsApp says of a call, as variables of the channel and of those it dials (the two underscores). Payloads',
      'and user names are written by others: never put them into System(), a dial string or a query.',
    ),
    `[${names.headers}]`,
    ...lines.flat(),
    ' same => n,Return()',
  ].join('\n')
}
