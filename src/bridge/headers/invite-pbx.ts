import type { WhatsAppFacts } from '../../calls/index.ts'
import type { NumberConfig, TrunkConfig, TrunkTarget } from '../../config/types.ts'
import { type Presented, present, type Shown, stepAt, wayOf } from '../../routing/index.ts'
import { displayPrefix, escapeUser } from '../address/uri.ts'
import type { InviteDraft } from '../invite/outgoing-invite.ts'
import { isRegistered } from '../registrar/binding.ts'
import type { Headers } from '../sip-port.ts'
import { ALLOW_PBX, SUPPORTED_PBX } from './allow.ts'
import { offeredTimer } from './session-timer.ts'
import { factsToPbx } from './whatsapp.ts'

/** What an INVITE to the PBX is made of. */
export interface InboundInvite {
  number: NumberConfig
  trunk: Pick<TrunkConfig, 'name' | 'presentation'>
  target: Pick<TrunkTarget, 'host' | 'port' | 'transport'>
  /** Name of the route that took a user-initiated call. */
  route: string | undefined
  /** `+E.164` or BSUID of the WhatsApp user. */
  caller: string
  /** User part of R-URI and To, escaped; '' for a URI without one. Default: the route's `to` filled. */
  to?: string
  facts: WhatsAppFacts
  /** Host we are known by: of Remote-Party-ID, where the SIP server fills in none. */
  domain: string
  body: string
  callId: string
  fromTag: string
  /** Further headers. */
  headers?: Headers
}

/**
 * The INVITE that brings the WhatsApp user to the PBX, presented the way its trunk asks for: of a
 * user-initiated call, and of a transfer. `localhost` stands for the address of the transport the SIP
 * server chooses (reference: drachtio's placeholder).
 */
export function inviteToPbx(invite: InboundInvite): InviteDraft {
  const { number, trunk, target, caller, facts, body, callId, fromTag, route, domain } = invite
  const shown = present(trunk.presentation, stepAt(wayOf(number, route), trunk.name), {
    number,
    caller,
    profile: facts.displayName,
    username: facts.username,
    country: facts.country,
    route,
  })
  const to = invite.to ?? escapeUser(shown.to)
  const host = target.host.includes(':') ? `[${target.host}]` : target.host
  const hostport = target.port === undefined ? host : `${host}:${target.port}`
  const called = to === '' ? hostport : `${to}@${hostport}`
  const registered = isRegistered(target) ? target : undefined
  const routes = registered?.routes ?? []
  return {
    uri: `sip:${called}${registered ? registered.params : `;transport=${target.transport}`}`,
    proxy: registered?.proxy,
    from: shown.from ? address(shown.from, 'localhost') : ANONYMOUS,
    to: `<sip:${called}>`,
    headers: {
      Contact: `<sip:${escapeUser(number.phoneNumber)}@localhost;transport=${target.transport}>`,
      ...identityHeaders(shown, domain),
      Allow: ALLOW_PBX,
      Supported: SUPPORTED_PBX,
      ...(routes.length > 0 ? { Route: routes.map((uri) => `<${uri}>`).join(', ') } : {}),
      ...offeredTimer(),
      ...factsToPbx(facts, number),
      ...invite.headers,
    },
    body,
    callId,
    fromTag,
  }
}

/** From of a caller who is not to be shown (RFC 3323 §4.1.1.3). */
const ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'

/**
 * Who calls, for a PBX that trusts us (RFC 3325 §9.1, draft-ietf-sip-privacy-04 §5.1). `Privacy: id`
 * asks it to keep the identity to itself (RFC 3325 §9.3).
 */
function identityHeaders({ from, pai, rpid }: Presented, domain: string): Headers {
  const headers: Headers = {}
  if (pai) headers['P-Asserted-Identity'] = address(pai, 'localhost')
  if (rpid) {
    const privacy = from ? 'off' : 'full'
    headers['Remote-Party-ID'] =
      `${address(rpid, domain)};party=calling;screen=yes;privacy=${privacy}`
  }
  if (!from) headers['Privacy'] = 'id'
  return headers
}

function address({ display, user }: Shown, host: string): string {
  return `${displayPrefix(display)}<sip:${escapeUser(user)}@${host}>`
}
