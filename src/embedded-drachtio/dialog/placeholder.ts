import { bracketed } from '../message/index.ts'

/** The address of ours a message is sent from, as it stands in Contact and From. */
export interface Local {
  host: string
  port: number
  transport: 'udp' | 'tcp' | 'tls'
}

const placeholder = /@localhost(?::\d+)?(?=[;>?,\s]|$)/g
const bare = /(sips?:)localhost(?::\d+)?(?=[;>?,\s]|$)/g

/** Puts an addr-spec in brackets, so that parameters behind it are unambiguous; others as given. */
export function bracketedAddress(value: string): string {
  if (value.includes('<') || value === '*') return value
  const semicolon = value.indexOf(';')
  const uri = semicolon < 0 ? value : value.slice(0, semicolon).trimEnd()
  return `<${uri}>${semicolon < 0 ? '' : value.slice(semicolon)}`
}

/**
 * Replaces the host `localhost` of an address an application wrote with the host and port the
 * message leaves from. In a Contact the transport is added, since a peer that takes the URI at its
 * word would else send UDP to a TLS port.
 */
export function fillPlaceholder(key: string, value: string, local: Local): string {
  let address = bracketedAddress(value)
  if (!address.includes('localhost')) return address
  const hostport = `${bracketed(local.host)}:${local.port}`
  const before = address
  address = address.replace(placeholder, `@${hostport}`)
  if (key === 'from' || key === 'contact') address = address.replace(bare, `$1${hostport}`)
  if (key !== 'contact' || address === before) return address
  if (local.transport === 'udp' || /;transport=/i.test(address)) return address
  return address.replace(hostport, `${hostport};transport=${local.transport}`)
}

/** Our Contact when the application gives none. */
export function defaultContact(local: Local): string {
  const transport = local.transport === 'udp' ? '' : `;transport=${local.transport}`
  return `<sip:${bracketed(local.host)}:${local.port}${transport}>`
}
