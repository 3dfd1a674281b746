import { isIP } from 'node:net'
import { defaultPort } from '../../config/addresses.ts'
import type { SipTransport, TrunkConfig, TrunkTarget } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { parseNameAddr, splitValues } from '../address/contacts.ts'
import { Networks } from '../address/networks.ts'
import type { Hop } from '../invite/targets.ts'
import { isRegistered } from '../registrar/binding.ts'
import type { IncomingResponse } from '../sip-port.ts'

/** Redirections followed in one call, and so targets they may add. */
const REDIRECTS_PER_CALL = 5

/** A target named by the Contact of a 3xx, with the user part its URI has, escaped; '' for none. */
export interface RedirectTarget {
  target: TrunkTarget
  user: string
}

const STATUSES: readonly number[] = [300, 301, 302]

/** Whether a response sends a call elsewhere. */
export function isRedirect(status: number): boolean {
  return STATUSES.includes(status)
}

/**
 * The Contacts of a 3xx as targets, the highest `q` first (RFC 3261 §8.1.3.4, §20.10); what is no SIP
 * URI is left out. `from` is the target that redirects: its transport stands where a Contact names none.
 */
export function contactTargets(contact: string, from: TrunkTarget): RedirectTarget[] {
  return splitValues(contact)
    .flatMap((value) => {
      const named = parseNameAddr(value)
      const found = named && readTarget(named.uri, from)
      return found ? [{ found, q: Number(named.params['q'] ?? 1) || 0 }] : []
    })
    .sort((a, b) => b.q - a.q)
    .map(({ found }) => found)
}

/** Follows the redirections of one call: bounded, and nowhere twice. */
export class Redirects {
  readonly #seen = new Set<string>()
  #left = REDIRECTS_PER_CALL

  /** The call is sent to a target with this Request-URI. */
  tried(target: TrunkTarget, uri: string): void {
    this.#seen.add(keyOf({ target, user: /^sip:([^@]*)@/.exec(uri)?.[1] ?? '' }))
  }

  /** Where a 3xx of a hop sends the call and it may go; an error when that is nowhere. */
  follow({ trunk, target: from }: Hop, response: IncomingResponse): Hop[] | CausewayError {
    const contact = response.header('contact') ?? ''
    const found = contactTargets(contact, from)
      .map((one) => throughRegistration(one, from))
      .filter((one) => {
        const key = keyOf(one)
        const allowed = mayGo(trunk, one.target)
        if (this.#left === 0 || this.#seen.has(key) || !allowed) return false
        this.#seen.add(key)
        this.#left--
        return true
      })
    if (found.length > 0) return found.map((one) => ({ trunk, ...one }))
    const detail = `${response.status} to ${contact.slice(0, 200) || 'nowhere'}`
    return new CausewayError('CALL_PBX_REDIRECT_REFUSED', { detail })
  }
}

/** A PBX that redirects to its own registered contact is reached the way it was: NAT, connection, Path. */
function throughRegistration(one: RedirectTarget, from: TrunkTarget): RedirectTarget {
  if (!isRegistered(from)) return one
  const own = keyOf({ target: from, user: one.user })
  return keyOf(one) === own ? { ...one, target: from } : one
}

/** Whether the trunk lets a redirection go to a target. */
export function mayGo(trunk: TrunkConfig, target: TrunkTarget): boolean {
  if (trunk.redirects !== 'own') return trunk.redirects === 'any'
  if (isRegistered(target)) return true
  const { host } = target
  if (trunk.targets.some((target) => target.host.toLowerCase() === host)) return true
  return isIP(host) !== 0 && new Networks(trunk.accept.from).has(host)
}

function keyOf({ target: { host, port, transport }, user }: RedirectTarget): string {
  return `${user}@${host.toLowerCase()}:${port ?? defaultPort(transport)};${transport}`
}

const URI =
  /^(sips?):(?:([^@;?"]*(?:;[^@?"]*)?)@)?(\[[^\]]+\]|[\w.-]+)(?::(\d{1,5}))?((?:[;?].*)?)$/i

function readTarget(uri: string, from: TrunkTarget): RedirectTarget | undefined {
  const match = URI.exec(uri)
  if (!match) return undefined
  const [, scheme, user = '', bracketed, digits, parameters = ''] = match as unknown as [
    string,
    string,
    string | undefined,
    string,
    string | undefined,
    string,
  ]
  const named = /;transport=(\w+)/i.exec(parameters)?.[1]?.toLowerCase()
  const transport = scheme.toLowerCase() === 'sips' ? 'tls' : (named ?? from.transport)
  const port = digits === undefined ? undefined : Number(digits)
  if (!isTransport(transport) || (port ?? 1) > 65_535 || port === 0) return undefined
  const host = bracketed.replace(/^\[|\]$/g, '').toLowerCase()
  const hostport = `${bracketed}${port === undefined ? '' : `:${port}`}`
  const target = { uri: `sip:${hostport};transport=${transport}`, host, port, transport, weight: 1 }
  return { target, user: user.split(':', 1)[0]! }
}

function isTransport(value: string): value is SipTransport {
  return value === 'udp' || value === 'tcp' || value === 'tls'
}
