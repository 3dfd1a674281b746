import { bracketed } from '../../shared/host-port.ts'
import { uriOf } from '../facts.ts'
import type { TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment, section } from './text.ts'

/** Asterisk registers with Causeway: for an Asterisk without an address of its own. */
export function registration(facts: TrunkFacts, names: Names, transport: string): string {
  const { causeway, domain, expires, theirs } = facts
  const user = theirs?.username ?? facts.name
  return [
    comment('Asterisk registers with Causeway, which calls it at the address it registers from.'),
    section(names.endpoint, [
      ['type', 'registration'],
      ['transport', transport],
      ['server_uri', uriOf(causeway, facts.transport)],
      ['client_uri', `sip:${user}@${bracketed(domain)}`, 'accept.username of the trunk'],
      ['contact_user', user],
      ...(theirs ? ([['outbound_auth', names.authOut]] as const) : []),
      ['line', 'yes', 'marks the Contact: calls to it belong to the endpoint below'],
      ['endpoint', names.endpoint],
      ['expiration', String(expires)],
      ['retry_interval', '20', 'seconds after no answer'],
      ['forbidden_retry_interval', '120', 'after a refusal; 0 would give up'],
      ['auth_rejection_permanent', 'no', 'a password that is wrong now may be right later'],
      ['max_retries', '1000000'],
    ]),
  ].join('\n')
}
