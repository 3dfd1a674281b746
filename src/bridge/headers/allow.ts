/** Methods offered to the PBX; others are answered 405. */
export const ALLOW_PBX = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK, REFER'

/** Methods offered to WhatsApp, which has no others in a call. */
export const ALLOW_WHATSAPP = 'INVITE, ACK, BYE, CANCEL, OPTIONS'

/** Extensions named to the PBX (RFC 3262, RFC 4028, RFC 3891, RFC 4488). */
export const SUPPORTED_PBX = '100rel, timer, replaces, norefersub'

/** Extensions the PBX may require of us: session timers are the SIP server's work (RFC 4028). */
const TAKEN = new Set(['timer', '100rel', 'replaces', 'norefersub'])

/** The options of the PBX's Require header that are not supported (RFC 3261 §8.2.2.3). */
export function unsupported(require: string | undefined): string[] {
  return optionsOf(require).filter((option) => !TAKEN.has(option))
}

/** The same for WhatsApp, which is offered none of them and requires none. */
export function unsupportedForWhatsApp(require: string | undefined): string[] {
  return optionsOf(require).filter((option) => option !== 'timer')
}

/** Whether a Require or Supported header names an option. */
export function names(header: string | undefined, option: string): boolean {
  return header !== undefined && optionsOf(header).includes(option)
}

function optionsOf(header: string | undefined): string[] {
  if (header === undefined) return []
  return header
    .split(',')
    .map((option) => option.trim().toLowerCase())
    .filter((option) => option !== '')
}
