import type { PbxFile, PbxOptions, TrunkFacts } from '../types.ts'
import { aor, identify } from './aor.ts'
import { auths, endpoint } from './endpoint.ts'
import { namesOf } from './names.ts'
import { registration } from './registration.ts'
import { comment, file } from './text.ts'

const MODES = {
  address: 'Each side knows the other by its address.',
  'causeway-registers': 'Causeway registers with Asterisk (register of the trunk).',
  'pbx-registers': 'Asterisk registers with Causeway (accept.registrations of the trunk).',
}

/** `causeway-<trunk>.pjsip.conf`: the trunk itself. */
export function trunkFile(facts: TrunkFacts, options: PbxOptions, transport: string): PbxFile {
  const names = namesOf(facts)
  const secrets = facts.ours !== undefined || facts.theirs !== undefined
  return {
    name: `causeway-${facts.name}.pjsip.conf`,
    about: 'the trunk',
    contents: file(
      comment(
        `Trunk ${facts.name} between Causeway and Asterisk (chan_pjsip, 18 to 22). Include it in pjsip.conf:`,
        '',
        ...(options.transport === undefined ? ['  #include "causeway-transports.conf"'] : []),
        `  #include "causeway-${facts.name}.pjsip.conf"`,
        '',
        `Dial a WhatsApp user with  PJSIP/+33199001234@${names.endpoint}`,
        MODES[facts.mode],
        ...(secrets
          ? ['This file holds passwords: mode 0600, owned by the user Asterisk runs as.']
          : []),
        ...identifierOrder(facts),
      ),
      endpoint(facts, names, transport),
      aor(facts, names),
      identify(facts, names),
      facts.mode === 'pbx-registers' ? registration(facts, names, transport) : undefined,
      auths(facts, names, options),
      comment(...mediaHints(facts)),
    ),
  }
}

/** Identification by account is not in Asterisk's default order. */
function identifierOrder({ mode, guessed, shared }: TrunkFacts): string[] {
  if (mode !== 'causeway-registers') return []
  const why = shared
    ? 'Another trunk has this Asterisk too'
    : "Causeway's address is not known here"
  const when =
    guessed || shared
      ? `CHECK: ${why}, so calls are recognised by the account. Asterisk looks at that`
      : "Where Causeway's address changes, its calls are recognised by its account. Asterisk looks at that"
  return [
    '',
    when,
    'only when told to, in [global] of pjsip.conf:',
    '',
    '  endpoint_identifier_order = ip,username,auth_username,anonymous',
  ]
}

function mediaHints({ srtp, ports }: TrunkFacts): string[] {
  const lines = [
    'rtp.conf: rtpstart to rtpend must be open for UDP from Causeway.',
    ...(ports
      ? [
          `Causeway uses ${ports}. On one machine keep both ranges apart; the default here ends at 20000.`,
        ]
      : []),
  ]
  if (srtp === 'dtls') {
    lines.push(
      'DTLS-SRTP with ICE takes  icesupport = yes  there; a STUN server only where Asterisk is behind NAT.',
    )
  }
  return lines
}
