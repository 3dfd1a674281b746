import t from 'tap'
import { registrationLines, registrationsWell } from '../../src/cli/registration-lines.ts'
import type { TrunkView } from '../../src/http/index.ts'
import { CausewayError } from '../../src/shared/errors/index.ts'

type View = Pick<TrunkView, 'registration' | 'contacts'>
const plain = (_tone: string, text: string): string => text
const time = (iso: string): string => `${iso.slice(11, 19)} UTC`
const UNTIL = '2026-01-31T14:32:10.000Z'
const NEXT = '2026-01-31T14:31:08.000Z'

const registration = {
  state: 'registered',
  registrar: 'sip:10.0.0.9',
  username: 'causeway',
  expires_at: UNTIL,
  next_at: NEXT,
  error: null,
}
const error = new CausewayError('TRUNK_REGISTER_REFUSED', { detail: 'sip:10.0.0.9: 403' }).toJSON()
const contact = {
  uri: 'sip:pbx@10.0.0.9',
  source: 'udp:10.0.0.9:5060',
  q: 1,
  since: UNTIL,
  expires_at: UNTIL,
  user_agent: 'Asterisk',
}
const trouble = [
  '      TRUNK_REGISTER_REFUSED the PBX refuses our registration: sip:10.0.0.9: 403',
  `      fix: ${error['fix']}`,
]
const who = 'registration of causeway with sip:10.0.0.9'

const rows: [view: View, well: boolean, lines: string[]][] = [
  [{ registration: null, contacts: null }, true, []],
  [
    { registration, contacts: null },
    true,
    [`  ✓ ${who}: until ${time(UNTIL)}, renewed at ${time(NEXT)}`],
  ],
  [
    { registration: { ...registration, error }, contacts: null },
    false,
    [`  ! ${who}: until ${time(UNTIL)}, renewed at ${time(NEXT)}`, ...trouble],
  ],
  [
    {
      registration: { ...registration, state: 'refused', expires_at: null, error },
      contacts: null,
    },
    false,
    [`  ✗ ${who}: refused, again at ${time(NEXT)}`, ...trouble],
  ],
  [
    { registration: { ...registration, state: 'registering', next_at: null }, contacts: null },
    false,
    [`  ! ${who}: registering`],
  ],
  [{ registration: null, contacts: [] }, false, ['  ✗ the PBX is not registered here']],
  [
    { registration: null, contacts: [contact, { ...contact, q: 0.5, user_agent: '' }] },
    true,
    [
      `  ✓ registered: sip:pbx@10.0.0.9 from udp:10.0.0.9:5060 (Asterisk), until ${time(UNTIL)}`,
      `  ✓ registered: sip:pbx@10.0.0.9 from udp:10.0.0.9:5060, until ${time(UNTIL)}, q 0.5`,
    ],
  ],
]

for (const [index, [view, well, lines]] of rows.entries()) {
  t.test(`row ${index + 1}: ${lines[0] ?? 'nothing'}`, async (t) => {
    t.same(registrationLines(view, plain), lines)
    t.equal(registrationsWell(view), well)
  })
}
