import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

const PRIVATE = new Set([
  'private',
  'loopback',
  'linkLocal',
  'uniqueLocal',
  'carrierGradeNat',
  'unspecified',
])

/** Whether nobody on the Internet can reach an address (RFC 1918, RFC 4193, RFC 6598, loopback). */
export function isPrivate(address: string): boolean {
  return isIP(address) !== 0 && PRIVATE.has(ipaddr.process(address).range())
}

/** Whether two texts are the same address. */
export function sameAddress(a: string, b: string): boolean {
  if (isIP(a) === 0 || isIP(b) === 0) return a === b
  return ipaddr.process(a).toNormalizedString() === ipaddr.process(b).toNormalizedString()
}
