import { causesToPbx } from '../causes.ts'
import type { TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment } from './text.ts'

/** The context to include where WhatsApp users may be called from. */
export function toWhatsApp(facts: TrunkFacts, names: Names): string {
  return [
    comment(
      `Calls to WhatsApp. Say  include => ${names.to}  in the context of your phones.`,
      'WhatsApp wants the country code; what your users dial is brought into that form here.',
    ),
    `[${names.to}]`,
    '; +33 199 00 12 34',
    `exten => _+[1-9]X.,1,Gosub(${names.dial},s,1(\${EXTEN}))`,
    '; 0033 199 00 12 34',
    'exten => _00[1-9]X.,1,Goto(+${EXTEN:2},1)',
    '; A user id, such as FR.13491208655302741918, as calls from WhatsApp have it',
    `exten => _[A-Z][A-Z].,1,Gosub(${names.dial},s,1(\${EXTEN}))`,
    '; National numbers: put your country code here, and take the semicolon away.',
    '; exten => _0[1-9]X.,1,Goto(+44${EXTEN:1},1)',
    '',
    `[${names.dial}]`,
    ...caller(facts),
    ` same => n,Dial(PJSIP/\${ARG1}@${names.endpoint},60)`,
    '; Nobody answered. HANGUPCAUSE() has what Causeway said, as "SIP 403 Forbidden".',
    ' same => n,Set(WHATSAPP_KEY=${HANGUPCAUSE_KEYS()})',
    ' same => n,NoOp(WhatsApp ${ARG1}: ${DIALSTATUS}, cause ${HANGUPCAUSE}, ${HANGUPCAUSE(${WHATSAPP_KEY},tech)})',
    ` same => n,Goto(${names.failed},\${HANGUPCAUSE},1)`,
  ].join('\n')
}

function caller({ caller, callers }: TrunkFacts): string[] {
  const about =
    caller === undefined
      ? '; CHANGE: outbound.number of the trunk is not set, so the caller has to be a business number.'
      : '; The business number the consumer sees. Where your dialplan sets one of them itself, leave this line out.'
  const several = callers.length > 1 ? [`; Business numbers: ${callers.join(', ')}.`] : []
  return [about, ...several, `exten => s,1,Set(CALLERID(num)=${caller ?? callers[0] ?? ''})`]
}

/** An extension for each Q.850 cause, with the codes of Causeway behind it. */
export function failures(names: Names): string {
  return [
    comment(
      'Calls to WhatsApp that failed, an extension for each Q.850 cause, with the codes of Causeway that lead to it',
      '("pjsip set logger on" shows the one of a call, in Warning; docs/reference/errors.md explains them).',
      'Put announcements before the Hangup.',
    ),
    `[${names.failed}]`,
    ...causesToPbx().flatMap(({ q850, errors }) => [
      ...errors.map(({ code, sip, summary }) => `; ${sip} ${code}: ${summary}`),
      `exten => ${q850},1,Hangup(${q850})`,
    ]),
    '; Anything else',
    'exten => _X.,1,Hangup(${EXTEN})',
    'exten => _X,1,Hangup(${EXTEN})',
  ].join('\n')
}
