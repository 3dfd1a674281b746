import t from 'tap'
import { displayPrefix, parseParty } from '../../../src/bridge/address/uri.ts'
import { type InboundInvite, inviteToPbx } from '../../../src/bridge/headers/invite-pbx.ts'
import type { PresentationConfig } from '../../../src/config/types.ts'
import { numberConfig, presentationConfig, trunkConfig } from '../../support/configs.ts'

function invite(policy: Partial<PresentationConfig> = {}, change: Partial<InboundInvite> = {}) {
  return inviteToPbx({
    number: numberConfig(),
    trunk: trunkConfig({ presentation: presentationConfig(policy) }),
    target: trunkConfig().targets[0]!,
    route: 'inbound',
    caller: '+33199001234',
    facts: { displayName: 'Zoé', userId: 'FR.1' },
    domain: 'sip.example.com',
    body: '',
    callId: 'c',
    fromTag: 't',
    ...change,
  })
}

const PARTY = '"Zoé" <sip:+33199001234@localhost>'
const RPID = '"Zoé" <sip:+33199001234@sip.example.com>;party=calling;screen=yes'

t.test('who calls, in From and the identity headers', async (t) => {
  const rows: [
    Partial<PresentationConfig>,
    from: string,
    pai?: string | undefined,
    rpid?: string,
  ][] = [
    [{}, PARTY, PARTY],
    [{ identity: 'rpid' }, PARTY, undefined, `${RPID};privacy=off`],
    [{ identity: 'both' }, PARTY, PARTY, `${RPID};privacy=off`],
    [{ identity: 'none' }, PARTY],
    [{ from: 'business' }, '"Zoé" <sip:+441632960123@localhost>', PARTY],
    [
      { from: 'anonymous', identity: 'both' },
      '"Anonymous" <sip:anonymous@anonymous.invalid>',
      PARTY,
      `${RPID};privacy=full`,
    ],
    [
      { numbers: 'digits', display: 'none' },
      '<sip:33199001234@localhost>',
      '<sip:33199001234@localhost>',
    ],
  ]
  for (const [policy, from, pai, rpid] of rows) {
    const draft = invite(policy)
    t.equal(draft.from, from, JSON.stringify(policy))
    t.equal(draft.headers['P-Asserted-Identity'], pai)
    t.equal(draft.headers['Remote-Party-ID'], rpid)
    t.equal(draft.headers['Privacy'], policy.from === 'anonymous' ? 'id' : undefined)
    t.equal(draft.headers['X-WhatsApp-User-Id'], 'FR.1', 'in any case')
    t.equal(draft.headers['X-WhatsApp-Business-Number'], '+441632960123')
  }
})

t.test('whom it calls', async (t) => {
  const national = { numbers: 'national', countryCode: '44' } as const
  t.match(invite(national), {
    uri: 'sip:01632960123@10.0.0.9:5060;transport=udp',
    to: '<sip:01632960123@10.0.0.9:5060>',
    headers: { Contact: '<sip:+441632960123@localhost;transport=udp>' },
  })
  t.equal(invite(national, { to: '202' }).uri, 'sip:202@10.0.0.9:5060;transport=udp', 'a transfer')
  t.equal(invite({}, { to: '' }).uri, 'sip:10.0.0.9:5060;transport=udp')
})

t.test('a user id where a number is expected', async (t) => {
  const policy = { userId: 'display', userIdNumber: '0000' } as const
  const caller = 'FR.13491208655302741918'
  t.equal(invite(policy, { caller }).from, `"${caller}" <sip:0000@localhost>`)
  t.equal(invite({}, { caller }).from, `"Zoé" <sip:${caller}@localhost>`)
})

t.test('the templates of the route, at the trunk it leads to', async (t) => {
  const base = numberConfig().inbound!
  const match = { params: {}, country: [], payload: [], hours: undefined }
  const overflow = [{ trunk: 'main', to: 'vm', from: 'x-{caller:digits}', ringTimeout: 1 }]
  const way = { ...base, trunk: 'other', to: 'sales', overflow }
  const routes = [{ name: 'sales', match, refuse: undefined, inbound: way }]
  const number = numberConfig({ inbound: { ...base, routes } })
  const draft = invite({}, { number, route: 'sales' })
  t.equal(draft.to, '<sip:vm@10.0.0.9:5060>')
  t.equal(draft.from, '"Zoé" <sip:x-33199001234@localhost>')
  const trunk = trunkConfig({ name: 'other' })
  t.equal(invite({}, { number, route: 'sales', trunk }).to, '<sip:sales@10.0.0.9:5060>')
  t.equal(invite({}, { number, route: 'gone' }).to, '<sip:+441632960123@10.0.0.9:5060>')
})

t.test('a display name cannot leave its place', async (t) => {
  const rows: [name: string, shown: string][] = [
    ['Zoë "Z" \\ X', '"Zoë \\"Z\\" \\\\ X" '],
    ['a\r\nPrivacy: none', '"aPrivacy: none" '],
    ['a\u0085\u2028\u2029b\u0000', '"ab" '],
    ['\u202Eevil\u2066', '"evil" '],
    ['  ', ''],
    ['\ud83d', ''],
    ['👩‍💻', '"👩‍💻" '],
    ['<sip:evil@x>', '"<sip:evil@x>" '],
  ]
  for (const [name, shown] of rows) {
    t.equal(displayPrefix(name), shown)
    if (shown === '') continue
    const draft = invite({}, { facts: { displayName: name } })
    t.equal(draft.from, `${shown}<sip:+33199001234@localhost>`)
    t.equal(parseParty(draft.from)?.user, '+33199001234', 'reads back')
  }
  const long = displayPrefix('😀'.repeat(500))
  t.equal(long, `"${'😀'.repeat(128)}" `, 'cut between characters')
})
