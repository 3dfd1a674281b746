import type { WhatsAppFacts } from '../../calls/index.ts'
import type { InboundConfig, NumberConfig, TrunkTarget } from '../../config/types.ts'
import { fillTemplate } from '../address/template.ts'
import { displayPrefix, escapeUser } from '../address/uri.ts'
import type { InviteDraft } from '../invite/outgoing-invite.ts'
import { ALLOW_PBX } from './allow.ts'
import { factsToPbx } from './whatsapp.ts'

/** What an INVITE to the PBX is made of. */
export interface InboundInvite {
  number: NumberConfig
  inbound: InboundConfig
  target: TrunkTarget
  /** `+E.164` or BSUID of the caller. */
  caller: string
  facts: WhatsAppFacts
  body: string
  callId: string
  fromTag: string
}

/**
 * The INVITE of a user-initiated call. `localhost` stands for the address of the transport the SIP
 * server chooses (reference: drachtio's placeholder).
 */
export function inviteToPbx(invite: InboundInvite): InviteDraft {
  const { number, inbound, target, caller, facts, body, callId, fromTag } = invite
  const values = { business: number.phoneNumber, caller }
  const to = escapeUser(fillTemplate(inbound.to, values))
  const from = escapeUser(fillTemplate(inbound.from, values))
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  const hostport = target.port === undefined ? host : `${host}:${target.port}`
  const party = `${displayPrefix(facts.displayName ?? '')}<sip:${from}@localhost>`
  return {
    uri: `sip:${to}@${hostport};transport=${target.transport}`,
    from: party,
    to: `<sip:${to}@${hostport}>`,
    headers: {
      Contact: `<sip:${escapeUser(number.phoneNumber)}@localhost;transport=${target.transport}>`,
      'P-Asserted-Identity': party,
      Allow: ALLOW_PBX,
      ...factsToPbx(facts, number),
    },
    body,
    callId,
    fromTag,
  }
}
