import { uriOf } from '../facts.ts'
import type { TrunkFacts } from '../types.ts'
import type { Names } from './names.ts'
import { comment, section } from './text.ts'

/** Where calls to WhatsApp go. */
export function aor(facts: TrunkFacts, names: Names): string {
  const { causeway, transport, mode, expires } = facts
  if (mode === 'causeway-registers') {
    return [
      comment(
        'Causeway registers here; the name is that of its account, as registrations go by it.',
      ),
      section(names.aor, [
        ['type', 'aor'],
        ['max_contacts', '1', 'one Causeway'],
        ['remove_existing', 'yes', 'a restarted Causeway takes the place of its former self'],
        ['minimum_expiration', String(Math.min(60, expires))],
        ['maximum_expiration', String(Math.max(3600, expires))],
        ['default_expiration', String(expires)],
        ['qualify_frequency', '15', 'OPTIONS: while Causeway does not answer it is not called'],
      ]),
    ].join('\n')
  }
  return section(names.aor, [
    ['type', 'aor'],
    ['contact', uriOf(causeway, transport), 'Causeway: sip.listen.pbx'],
    ['qualify_frequency', '15', 'OPTIONS: while Causeway does not answer it is not called'],
  ])
}

/**
 * Which calls are taken for the trunk's: by the address they come from. Who registers may have none that
 * is known, or share it with another trunk: then its account tells, or the line Asterisk registered.
 */
export function identify(facts: TrunkFacts, names: Names): string | undefined {
  const { mode, guessed, shared } = facts
  if (mode === 'pbx-registers') return undefined
  if (mode === 'causeway-registers' && (guessed || shared)) return undefined
  return [
    facts.guessed
      ? comment(
          'CHECK: Causeway listens on every address, so this is its name. Better the address its packets come from:',
          'generate with  --host ADDRESS.',
        )
      : comment("The addresses Causeway's requests come from."),
    section(names.endpoint, [
      ['type', 'identify'],
      ['endpoint', names.endpoint],
      ['match', facts.sources.join(',')],
    ]),
  ].join('\n')
}
