import type { NumberConfig } from '../../config/types.ts'
import type { InviteDraft } from '../invite/outgoing-invite.ts'
import { ALLOW_WHATSAPP } from './allow.ts'

/** What an INVITE to WhatsApp is made of. */
export interface OutboundInvite {
  number: NumberConfig
  /** `+E.164` or BSUID. */
  consumer: string
  /** Host WhatsApp knows us by. */
  domain: string
  /** Port WhatsApp reaches us at. */
  port: number
  /** Host of R-URI and To. */
  sipDomain: string
  body: string
  callId: string
  fromTag: string
}

/** The Contact WhatsApp reaches us at over TLS. */
export function contactForWhatsApp(number: NumberConfig, domain: string, port: number): string {
  return `<sip:${number.phoneNumber}@${domain}:${port};transport=tls>`
}

/**
 * The INVITE of a business-initiated call: plus signs on both sides, To without parameters, From in
 * the configured domain, and nothing WhatsApp does not know.
 */
export function inviteToWhatsApp(invite: OutboundInvite): InviteDraft {
  const { number, consumer, domain, port, sipDomain, body, callId, fromTag } = invite
  return {
    uri: `sip:${consumer}@${sipDomain};transport=tls`,
    from: `<sip:${number.phoneNumber}@${domain}>`,
    to: `<sip:${consumer}@${sipDomain}>`,
    headers: { Contact: contactForWhatsApp(number, domain, port), Allow: ALLOW_WHATSAPP },
    body,
    callId,
    fromTag,
  }
}
