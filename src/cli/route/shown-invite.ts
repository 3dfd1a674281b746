import type { InviteDraft } from '../../bridge/invite/outgoing-invite.ts'
import type { Config, SipTransport } from '../../config/types.ts'
import { formatHostPort } from '../../shared/host-port.ts'

/** What of an INVITE is decided by routing and presentation. */
export interface ShownInvite {
  uri: string
  /** In the order of the message; without those every INVITE has. */
  headers: Record<string, string>
}

/** What an INVITE that is only shown goes without. */
export const UNSENT = { body: '', callId: '', fromTag: '' }

/** The same in every INVITE, and of no interest here. */
const PLAIN = new Set(['Allow', 'Supported', 'Contact'])

/** An INVITE for people, our own address filled in as far as the configuration knows it. */
export function shownInvite(
  { uri, from, to, headers }: InviteDraft,
  sip: Config['sip'],
  transport: SipTransport,
): ShownInvite {
  const own = ownAddress(sip, transport)
  const filled = (value: string): string => value.replace('@localhost', `@${own}`)
  const chosen = Object.entries(headers).filter(([name]) => !PLAIN.has(name))
  return {
    uri,
    headers: {
      To: to,
      From: filled(from),
      ...Object.fromEntries(chosen.map(([name, value]) => [name, filled(value)])),
    },
  }
}

function ownAddress({ listen, externalAddress }: Config['sip'], transport: SipTransport): string {
  const listener = listen.pbx.find((one) => one.transport === transport) ?? listen.pbx[0]
  const host = listener?.host ?? ''
  const open = host === '' || host === '0.0.0.0' || host === '::'
  const address = open ? (externalAddress ?? 'localhost') : host
  return formatHostPort(address, listener && listener.port > 0 ? listener.port : undefined)
}
