/** Methods offered to the PBX. REFER and the rest are answered 405. */
export const ALLOW_PBX = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE'

/** Methods offered to WhatsApp, which has no others in a call. */
export const ALLOW_WHATSAPP = 'INVITE, ACK, BYE, CANCEL, OPTIONS'

/** Extensions that may be required of us: session timers are the SIP server's work (RFC 4028). */
const SUPPORTED = new Set(['timer'])

/** The options of a Require header that are not supported (RFC 3261 §8.2.2.3). */
export function unsupported(require: string | undefined): string[] {
  if (require === undefined) return []
  const options = require.split(',').map((option) => option.trim().toLowerCase())
  return options.filter((option) => option !== '' && !SUPPORTED.has(option))
}
