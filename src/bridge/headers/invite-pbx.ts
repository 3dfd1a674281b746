import type { WhatsAppFacts } from '../../calls/index.ts'
import type { NumberConfig, TrunkTarget } from '../../config/types.ts'
import { fillTemplate } from '../address/template.ts'
import { displayPrefix, escapeUser } from '../address/uri.ts'
import type { InviteDraft } from '../invite/outgoing-invite.ts'
import { isRegistered } from '../registrar/binding.ts'
import type { Headers } from '../sip-port.ts'
import { ALLOW_PBX, SUPPORTED_PBX } from './allow.ts'
import { factsToPbx } from './whatsapp.ts'

/** What an INVITE to the PBX is made of. */
export interface InboundInvite {
  number: NumberConfig
  target: TrunkTarget
  /** `+E.164` or BSUID of the WhatsApp user. */
  caller: string
  /** User part of R-URI and To, escaped; '' for a URI without one. Default: `inbound.to` filled. */
  to?: string
  facts: WhatsAppFacts
  body: string
  callId: string
  fromTag: string
  /** Further headers. */
  headers?: Headers
}

/**
 * The INVITE that brings the WhatsApp user to the PBX: of a user-initiated call, and of a transfer.
 * `localhost` stands for the address of the transport the SIP server chooses (reference: drachtio's
 * placeholder).
 */
export function inviteToPbx(invite: InboundInvite): InviteDraft {
  const { number, target, caller, facts, body, callId, fromTag } = invite
  const { to: toTemplate, from: fromTemplate } = number.inbound ?? DEFAULTS
  const values = { business: number.phoneNumber, caller }
  const to = invite.to ?? escapeUser(fillTemplate(toTemplate, values))
  const from = escapeUser(fillTemplate(fromTemplate, values))
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  const hostport = target.port === undefined ? host : `${host}:${target.port}`
  const called = to === '' ? hostport : `${to}@${hostport}`
  const party = `${displayPrefix(facts.displayName ?? '')}<sip:${from}@localhost>`
  const registered = isRegistered(target) ? target : undefined
  const routes = registered?.routes ?? []
  return {
    uri: `sip:${called}${registered ? registered.params : `;transport=${target.transport}`}`,
    proxy: registered?.proxy,
    from: party,
    to: `<sip:${called}>`,
    headers: {
      Contact: `<sip:${escapeUser(number.phoneNumber)}@localhost;transport=${target.transport}>`,
      'P-Asserted-Identity': party,
      Allow: ALLOW_PBX,
      Supported: SUPPORTED_PBX,
      ...(routes.length > 0 ? { Route: routes.map((uri) => `<${uri}>`).join(', ') } : {}),
      ...factsToPbx(facts, number),
      ...invite.headers,
    },
    body,
    callId,
    fromTag,
  }
}

/** Of a number that takes no calls itself but makes them: its calls may be transferred. */
const DEFAULTS = { to: '{business}', from: '{caller}' }
