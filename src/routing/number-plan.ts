import type { NumberPlan, PresentationConfig } from '../config/types.ts'

/** Shortest and longest subscriber numbers taken for international ones (E.164 allows 15 digits). */
const E164 = /^[1-9]\d{6,14}$/

/** Business-scoped user id: ISO country, dot, digits. */
const BSUID = /^[A-Za-z]{2}\.\d{1,40}$/

/** A national number of North America, with the prefix that equals its country code or without it. */
const NANP = /^1?([2-9]\d{9})$/

/** A plan that knows international numbers alone. */
const INTERNATIONAL: NumberPlan = {
  countryCode: undefined,
  nationalPrefix: '0',
  internationalPrefix: '00',
}

/**
 * The WhatsApp user a dialled user part means: `+` and digits, or a BSUID as it is. Separators and a
 * leading `+` or international prefix are understood, and with a country code national numbers; other
 * digits are an international number without its plus. Undefined when it cannot be a WhatsApp user.
 */
export function consumerOf(dialled: string, plan = INTERNATIONAL): string | undefined {
  if (isUserId(dialled)) return `${dialled.slice(0, 2).toUpperCase()}${dialled.slice(2)}`
  // +44 (0)1632 960123: the zero is for callers within the country.
  const bare = dialled.replace(/^(\+\d+)\s*\(0\)/, '$1').replace(/[\s\-.()/]/g, '')
  const digits = internationalDigits(bare, plan)
  return E164.test(digits) ? `+${digits}` : undefined
}

/** Whether this is a business-scoped user id instead of a phone number. */
export function isUserId(user: string): boolean {
  return BSUID.test(user)
}

function internationalDigits(bare: string, plan: NumberPlan): string {
  const { countryCode, nationalPrefix, internationalPrefix } = plan
  if (bare.startsWith('+')) return bare.slice(1)
  if (bare.startsWith(internationalPrefix)) return bare.slice(internationalPrefix.length)
  if (countryCode === undefined) return bare
  const north = countryCode === '1' ? NANP.exec(bare) : null
  if (north) return `1${north[1]}`
  if (!bare.startsWith(nationalPrefix)) return bare
  return `${countryCode}${bare.slice(nationalPrefix.length)}`
}

/** A phone number as a trunk writes it. Anything but `+E.164`, such as a BSUID, stays as it is. */
export function formatNumber(
  number: string,
  format: PresentationConfig['numbers'],
  plan: NumberPlan,
): string {
  const digits = /^\+(\d+)$/.exec(number)?.[1]
  if (digits === undefined || format === 'e164') return number
  const { countryCode, nationalPrefix, internationalPrefix } = plan
  if (format === 'digits' || countryCode === undefined) return digits
  return digits.startsWith(countryCode)
    ? nationalPrefix + digits.slice(countryCode.length)
    : internationalPrefix + digits
}
