import type { WhatsAppFacts } from '../../calls/index.ts'
import { detach } from '../../shared/detach.ts'

/** Header values by name in any case, as drachtio-srf gives them. */
export type HeaderMap = Readonly<Record<string, string>>

type TextFact = Exclude<keyof WhatsAppFacts, 'callDuration' | 'displayName'>

/** Names after `x-wa-meta-`, every spelling seen; `_` has become `-`. */
const FACTS: Readonly<Record<string, TextFact>> = {
  wacid: 'wacid',
  'phone-number-id': 'phoneNumberId',
  'country-code': 'country',
  'user-country-code': 'country',
  'user-id': 'userId',
  'parent-user-id': 'parentUserId',
  username: 'username',
  'user-name': 'username',
  'cta-payload': 'ctaPayload',
  'deeplink-payload': 'deeplinkPayload',
}

const PREFIX = 'x-wa-meta-'

/** Headers towards the PBX, by fact. */
const TO_PBX: readonly [string, TextFact][] = [
  ['X-WhatsApp-Wacid', 'wacid'],
  ['X-WhatsApp-User-Id', 'userId'],
  ['X-WhatsApp-Parent-User-Id', 'parentUserId'],
  ['X-WhatsApp-Username', 'username'],
  ['X-WhatsApp-Country', 'country'],
  ['X-WhatsApp-Cta-Payload', 'ctaPayload'],
  ['X-WhatsApp-Deeplink-Payload', 'deeplinkPayload'],
]

/** Longest value kept: a payload may have 512 characters. */
const VALUE_LIMIT = 1024

/** Collects what WhatsApp's own headers say into `facts`; what is known already stays. */
export function collectFacts(headers: HeaderMap, facts: WhatsAppFacts): void {
  for (const name in headers) {
    const key = name.toLowerCase().replaceAll('_', '-')
    if (!key.startsWith(PREFIX)) continue
    const rest = key.slice(PREFIX.length)
    const value = headers[name]!.slice(0, VALUE_LIMIT)
    if (rest === 'call-duration') {
      const seconds = Number(value)
      if (Number.isFinite(seconds)) facts.callDuration = seconds
      continue
    }
    const fact = FACTS[rest]
    if (fact !== undefined && value !== '') facts[fact] ??= detach(value)
  }
}

/** WhatsApp's id of the call: the header, or the Call-ID without `outgoing:`. */
export function wacidOf(facts: WhatsAppFacts, callId: string): string | undefined {
  if (facts.wacid !== undefined) return facts.wacid
  const id = callId.startsWith('outgoing:') ? callId.slice('outgoing:'.length) : callId
  return id.startsWith('wacid.') ? detach(id) : undefined
}

/** The `X-WhatsApp-…` headers the PBX gets with a user-initiated call. */
export function factsToPbx(
  facts: WhatsAppFacts,
  number: { phoneNumber: string; phoneNumberId: string },
): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, fact] of TO_PBX) {
    const value = facts[fact]
    if (value !== undefined) headers[name] = value.replace(/[\x00-\x1f\x7f]/g, '')
  }
  headers['X-WhatsApp-Business-Number'] = number.phoneNumber
  headers['X-WhatsApp-Phone-Number-Id'] = facts.phoneNumberId ?? number.phoneNumberId
  return headers
}
