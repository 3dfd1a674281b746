/** Headers Causeway puts into the INVITE of a user-initiated call, with what they hold. */
export const WHATSAPP_HEADERS: readonly { header: string; about: string }[] = [
  { header: 'X-WhatsApp-Wacid', about: "WhatsApp's id of the call" },
  { header: 'X-WhatsApp-User-Id', about: 'user id of the caller in your business: FR.1349…' },
  { header: 'X-WhatsApp-Parent-User-Id', about: 'the same across your portfolio' },
  { header: 'X-WhatsApp-Username', about: 'user name, when the caller has one' },
  { header: 'X-WhatsApp-Country', about: 'country of the caller, ISO 3166-1' },
  { header: 'X-WhatsApp-Cta-Payload', about: 'payload of the call button that was tapped' },
  { header: 'X-WhatsApp-Deeplink-Payload', about: 'payload of the link that was followed' },
  { header: 'X-WhatsApp-Business-Number', about: 'the number that was called, +E.164' },
  { header: 'X-WhatsApp-Phone-Number-Id', about: 'its id in the Graph API' },
]

/** `WHATSAPP_CTA_PAYLOAD` of `X-WhatsApp-Cta-Payload`. */
export function variableOf(header: string): string {
  return header.slice('X-'.length).replaceAll('-', '_').toUpperCase()
}
