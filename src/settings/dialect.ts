import type { NumberConfig, WhatsAppConfig } from '../config/types.ts'
import { CausewayError } from '../shared/errors/index.ts'

const META = 'https://graph.facebook.com'
const DIALOG360 = 'https://waba-v2.360dialog.io'

/**
 * Where the settings of a number live. Meta names the number in the path; 360dialog's key selects
 * it. The v23 mirror shares Meta's paths and differs in spelling only, which `parse.ts` absorbs.
 */
export function settingsUrl(whatsapp: WhatsAppConfig, number: NumberConfig): URL {
  if (whatsapp.provider === '360dialog') {
    const base = whatsapp.graphUrl === META ? DIALOG360 : whatsapp.graphUrl
    return new URL(`${base}/calling/settings`)
  }
  const id = encodeURIComponent(number.phoneNumberId)
  return new URL(`${whatsapp.graphUrl}/${whatsapp.graphVersion}/${id}/settings`)
}

/**
 * The header that proves who asks.
 *
 * @throws SETTINGS_TOKEN_MISSING
 */
export function authorization(
  whatsapp: WhatsAppConfig,
  number: NumberConfig,
): Record<string, string> {
  if (!number.accessToken)
    throw new CausewayError('SETTINGS_TOKEN_MISSING', { place: place(number) })
  const token = number.accessToken.reveal()
  return whatsapp.provider === '360dialog'
    ? { 'd360-api-key': token }
    : { authorization: `Bearer ${token}` }
}

/**
 * How a provider takes writes. Meta documents everything about a line in one `calling` object;
 * 360dialog documents calling and SIP as requests of their own, so that each group goes alone.
 */
export function requestsOf(provider: WhatsAppConfig['provider']): 'together' | 'apart' {
  return provider === '360dialog' ? 'apart' : 'together'
}

/** How errors name a number. */
export function place(number: NumberConfig): string {
  return `number ${number.name}`
}
