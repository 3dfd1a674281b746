/**
 * `meta`: the documented Graph API. `v23`: the same paths in the lower-case spelling of the v23
 * mirror. `360dialog`: Meta's spelling behind 360dialog's path and key header.
 */
export type GraphDialect = 'meta' | 'v23' | '360dialog'

/** How one dialect prints the values of the `calling` object. */
export interface Spelling {
  toggle(value: string): string
  srtp(value: string): string
  visibility(value: string): string
  passwordKey: 'sip_user_password' | 'password'
  /** Meta reports app IDs as numbers, the mirror as strings. */
  appId(value: string): string | number
}

const META: Spelling = {
  toggle: (value) => value,
  srtp: (value) => value,
  visibility: (value) => value,
  passwordKey: 'sip_user_password',
  appId: (value) => (Number.isSafeInteger(Number(value)) ? Number(value) : value),
}

const MIRROR: Spelling = {
  toggle: (value) => value.toLowerCase(),
  srtp: (value) => `${value}-SRTP`,
  visibility: (value) => (value === 'DEFAULT' ? 'visible' : 'hidden'),
  passwordKey: 'password',
  appId: (value) => value,
}

/** The spelling a dialect answers in. */
export function spellingOf(dialect: GraphDialect): Spelling {
  return dialect === 'v23' ? MIRROR : META
}
