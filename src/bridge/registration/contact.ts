import { timingSafeEqual } from 'node:crypto'
import type { RegisterConfig } from '../../config/types.ts'
import { parseNameAddr, splitValues, uriParameter } from '../address/contacts.ts'
import { seconds } from '../headers/seconds.ts'
import type { Headers } from '../sip-port.ts'

/** URI parameter of our Contact that nobody can guess: who calls it has it from the registrar. */
export const TOKEN = 'causeway'

/** Header parameters of a registration by RFC 5626. */
export interface Instance {
  /** UUID of this installation: the same after a restart (RFC 5626 §4.1). */
  id: string
  /** Number of the flow, from 1. */
  regId: number
}

/**
 * The Contact of a REGISTER. `localhost` stands for the address the SIP server sends from; the
 * transport is named, so that the PBX calls by the one it was registered with.
 *
 * @param instance left out where the path to the registrar does not support RFC 5626
 */
export function contactFor(
  { contact, transport }: { contact: string; transport: string },
  token: string,
  expires: number,
  instance: Instance | undefined,
): string {
  const flow = instance ? `;+sip.instance="<urn:uuid:${instance.id}>";reg-id=${instance.regId}` : ''
  return `<sip:${contact}@localhost;transport=${transport};${TOKEN}=${token}>${flow};expires=${expires}`
}

/**
 * Seconds a registrar granted to our contact. It may have rewritten host and port (NAT), so that the
 * contact is known by its token, its instance, or as the only one; else the Expires header counts,
 * else what was asked for (RFC 3261 §10.2.4).
 */
export function grantedExpiry(
  headers: { header(name: string): string | undefined },
  own: { token: string; instance: string; user: string; asked: number },
): number {
  const contacts = splitValues(headers.header('contact') ?? '').flatMap((value) => {
    const parsed = parseNameAddr(value)
    return parsed ? [parsed] : []
  })
  const mine =
    contacts.find(({ uri }) => uriParameter(uri, TOKEN) === own.token) ??
    contacts.find(({ params }) => params['+sip.instance']?.includes(own.instance)) ??
    contacts.find(({ uri }) => uri.includes(`:${own.user}@`)) ??
    (contacts.length === 1 ? contacts[0] : undefined)
  return seconds(mine?.params['expires']) ?? seconds(headers.header('expires')) ?? own.asked
}

/** Whether the Request-URI of a call is our Contact: it carries our token. */
export function bearsToken(uri: string, token: string): boolean {
  const given = uriParameter(uri, TOKEN)
  if (given === undefined || given.length !== token.length) return false
  return timingSafeEqual(Buffer.from(given), Buffer.from(token))
}

/** Whether a user part is that of our Contact, and so names nobody who could be called. */
export function isOurContact(user: string, { contact }: RegisterConfig): boolean {
  return user === contact || decoded(user) === decoded(contact)
}

/** Where a PBX says whom it calls when the Request-URI holds our Contact. */
export const CALLED: readonly string[] = ['p-called-party-id', 'x-called-party-id', 'to']

/** Headers of a REGISTER beside its identity (RFC 3327, RFC 5626). */
export const EXTENSIONS: Readonly<Headers> = { Supported: 'path, outbound' }

function decoded(user: string): string {
  try {
    return decodeURIComponent(user)
  } catch {
    return user
  }
}
