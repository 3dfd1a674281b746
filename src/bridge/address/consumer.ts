/** Shortest and longest subscriber numbers taken for international ones (E.164 allows 15 digits). */
const E164 = /^[1-9]\d{6,14}$/

/** Business-scoped user id: ISO country, dot, digits. */
const BSUID = /^[A-Za-z]{2}\.\d{1,40}$/

/**
 * The WhatsApp user a dialled user part means: `+` and digits, or a BSUID as it is. Separators and
 * a leading `00` or `+` are understood. Undefined when it cannot be a WhatsApp user.
 */
export function consumerOf(dialled: string): string | undefined {
  if (BSUID.test(dialled)) return `${dialled.slice(0, 2).toUpperCase()}${dialled.slice(2)}`
  const bare = dialled.replace(/[\s\-.()/]/g, '')
  const digits = bare.startsWith('+') ? bare.slice(1) : bare.replace(/^00/, '')
  return E164.test(digits) ? `+${digits}` : undefined
}

/** Digits of a phone number, the form digest user names and lookups take; '' for a BSUID. */
export function digitsOf(user: string): string {
  return /^\+?[\d\s\-.()]+$/.test(user) ? user.replace(/\D/g, '') : ''
}
