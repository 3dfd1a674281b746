import { countryOfNumber } from './calling-codes.ts'

/** A consumer's country, and what says so. */
export interface CountryFinding {
  /** ISO 3166-1 alpha-2. */
  country: string
  by: 'whatsapp' | 'user id' | 'calling code'
}

/**
 * The country of a consumer: as WhatsApp's header says it, else by the prefix of the business-scoped user
 * id, else by the calling code of the phone number.
 *
 * @param consumer `+E.164` or BSUID
 */
export function countryOf(caller: {
  consumer: string
  country?: string | undefined
  userId?: string | undefined
}): CountryFinding | undefined {
  const told = caller.country?.trim().toUpperCase()
  if (told !== undefined && /^[A-Z]{2}$/.test(told)) return { country: told, by: 'whatsapp' }
  for (const id of [caller.consumer, caller.userId]) {
    const prefix = /^([A-Za-z]{2})\./.exec(id ?? '')?.[1]
    if (prefix !== undefined) return { country: prefix.toUpperCase(), by: 'user id' }
  }
  const country = countryOfNumber(caller.consumer)
  return country === undefined ? undefined : { country, by: 'calling code' }
}
