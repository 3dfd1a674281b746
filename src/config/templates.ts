import { nearest } from '../shared/nearest.ts'
import { Rejection } from './rejection.ts'

/** Placeholders of `inbound.to` and `inbound.from`. */
export const INBOUND_PLACEHOLDERS = ['business', 'business:digits', 'caller', 'caller:digits']

/** Placeholders of `outbound.to`. */
export const OUTBOUND_PLACEHOLDERS = ['dialed', 'business', 'business:digits']

/**
 * Checks a template of a SIP user part (RFC 3261 §25.1 `user`): literal characters and `{placeholders}`.
 * `{business}` and `{caller}` are `+E.164` or a BSUID, with `:digits` the plus is dropped, `{dialed}`
 * is the user part the PBX dialled.
 */
export function parseTemplate(text: string, placeholders: readonly string[]): string | Rejection {
  if (text === '') return new Rejection('the template is empty')
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (placeholders.includes(name!)) continue
    const close = nearest(name!, placeholders)
    return new Rejection('the template names a placeholder that does not exist here', {
      meant: close === undefined ? undefined : text.replace(`{${name}}`, `{${close}}`),
    })
  }
  const literal = text.replace(/\{[^{}]*\}/g, '')
  if (/[{}]/.test(literal)) return new Rejection('a brace is not closed')
  if (/[^A-Za-z0-9\-_.!~*'()&=+$,;?/%]/.test(literal)) {
    return new Rejection('the template holds a character a SIP user part may not have')
  }
  return text
}
