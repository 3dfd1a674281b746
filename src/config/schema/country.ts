import { COUNTRIES, countryMeant } from '../countries.ts'
import { text } from '../leaf.ts'
import { Rejection } from '../rejection.ts'

/** A country by its ISO 3166-1 code. */
export const countryLeaf = () =>
  text(
    { expected: 'a country code of ISO 3166-1 such as FR, in capitals' },
    (value): string | Rejection =>
      COUNTRIES.has(value)
        ? value
        : new Rejection('this is not a country code', { meant: countryMeant(value) }),
  )
