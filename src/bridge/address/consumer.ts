export { consumerOf } from '../../routing/index.ts'

/** Digits of a phone number, the form digest user names and lookups take; '' for a BSUID. */
export function digitsOf(user: string): string {
  return /^\+?[\d\s\-.()]+$/.test(user) ? user.replace(/\D/g, '') : ''
}
