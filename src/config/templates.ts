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
  const misplaced = checkPlaces(text, placeholders)
  if (misplaced) return misplaced
  const literal = text.replace(/\{[^{}]*\}/g, '')
  if (/[^A-Za-z0-9\-_.!~*'()&=+$,;?/%]/.test(literal)) {
    return new Rejection('the template holds a character a SIP user part may not have')
  }
  return text
}

/** Words `presentation.display` knows besides templates. */
const DISPLAY_WORDS = ['profile', 'number', 'none']

/** Placeholders of `presentation.display`. */
const DISPLAY_PLACEHOLDERS = [
  'profile',
  'username',
  'caller',
  'country',
  'business',
  'line',
  'route',
]

/** Longest template of a display name. */
const DISPLAY_LIMIT = 128

/** Checks a policy for display names: one of the words, or a text with at least one placeholder. */
export function parseDisplay(text: string): string | Rejection {
  if (DISPLAY_WORDS.includes(text)) return text
  if (!text.includes('{')) {
    return new Rejection('this is neither a known word nor a template', {
      meant: nearest(text, DISPLAY_WORDS),
    })
  }
  if (text.length > DISPLAY_LIMIT) return new Rejection(`longer than ${DISPLAY_LIMIT} characters`)
  if (/\p{Cc}/u.test(text)) return new Rejection('the template holds a control character')
  return checkPlaces(text, DISPLAY_PLACEHOLDERS) ?? text
}

/** What is wrong with the placeholders of a template; undefined when nothing is. */
function checkPlaces(text: string, placeholders: readonly string[]): Rejection | undefined {
  for (const [, name] of text.matchAll(/\{([^{}]*)\}/g)) {
    if (placeholders.includes(name!)) continue
    const close = nearest(name!, placeholders)
    return new Rejection('the template names a placeholder that does not exist here', {
      meant: close === undefined ? undefined : text.replace(`{${name}}`, `{${close}}`),
    })
  }
  return /[{}]/.test(text.replace(/\{[^{}]*\}/g, ''))
    ? new Rejection('a brace is not closed')
    : undefined
}
