import t from 'tap'
import { targetsOf } from '../../../src/bridge/registrar/binding.ts'
import type { IncomingResponse } from '../../../src/bridge/sip-port.ts'
import { contactTargets, mayGo, Redirects } from '../../../src/bridge/trunks/redirect.ts'
import { trunkConfig } from '../../support/configs.ts'

const from = trunkConfig().targets[0]!
const read = (contact: string) =>
  contactTargets(contact, from).map(({ target, user }) => `${user}@${target.uri}`)

const contacts: [name: string, contact: string, targets: string[]][] = [
  ['a name-addr', '<sip:200@10.0.0.10:5070>', ['200@sip:10.0.0.10:5070;transport=udp']],
  ['an addr-spec', 'sip:200@10.0.0.10;q=0.5', ['200@sip:10.0.0.10;transport=udp']],
  ['a transport', '<sip:pbx.example;transport=TCP>', ['@sip:pbx.example;transport=tcp']],
  ['sips', '<sips:a@pbx.example>', ['a@sip:pbx.example;transport=tls']],
  ['IPv6', '<sip:a@[2001:db8::1]:5061>', ['a@sip:[2001:db8::1]:5061;transport=udp']],
  [
    'several, by q',
    '"a, b" <sip:1@h1>;q=0.2, <sip:2@h2>, sip:3@h3;q=0.7,<sip:4@h4>;q=0.7',
    ['2', '3', '4', '1'].map((n) => `${n}@sip:h${n};transport=udp`),
  ],
  [
    'user parameters stay',
    '<sip:200;phone-context=x@h>',
    ['200;phone-context=x@sip:h;transport=udp'],
  ],
  [
    'a display name that looks like more',
    '"Sales <b>, \\"x\\";q=0" <sip:200@h>, "late" <sip:300@h>;q=0.5',
    ['200@sip:h;transport=udp', '300@sip:h;transport=udp'],
  ],
  ['a user that is none', '<sip:2 0@h>, <sip:2"0@h>', []],
  ['a password goes', '<sip:200:secret@h>', ['200@sip:h;transport=udp']],
  [
    'what is no SIP URI',
    '<tel:+44123>, <mailto:a@b>, <sip:>, *, <sip:a@h:99999>, <sip:a@h;transport=ws>',
    [],
  ],
  ['nothing', '', []],
]
for (const [name, contact, targets] of contacts) {
  t.test(`the Contact of a 3xx: ${name}`, async (t) => t.same(read(contact), targets))
}

const trunk = trunkConfig({ accept: { ...trunkConfig().accept, from: ['192.0.2.0/24'] } })
const answer = (contact: string) =>
  ({ status: 302, header: () => contact }) as unknown as IncomingResponse
const follow = (redirects: Redirects, contact: string, of = trunk) => {
  const found = redirects.follow({ trunk: of, target: from }, answer(contact))
  return Array.isArray(found) ? found.map((hop) => `${hop.user}@${hop.target.host}`) : found.code
}

t.test('only hosts of the trunk are called, unless it says otherwise', async (t) => {
  const host = (host: string) => ({ ...from, host })
  for (const [name, allowed] of [
    ['10.0.0.9', true],
    ['192.0.2.7', true],
    ['10.0.0.10', false],
    ['pbx.example', false],
  ] as const) {
    t.equal(mayGo(trunk, host(name)), allowed, name)
    t.ok(mayGo({ ...trunk, redirects: 'any' }, host(name)))
    t.notOk(mayGo({ ...trunk, redirects: 'off' }, host(name)))
  }
})

t.test('a registered PBX that redirects to itself is reached as it was', async (t) => {
  const [registered] = targetsOf({
    ...{ uri: 'sip:line1@192.168.7.7;line=7', q: 1, expiresAt: 0, since: 0, callId: 'c', cseq: 1 },
    ...{ source: { address: '198.51.100.7', port: 40_001, transport: 'tcp' as const } },
    ...{ path: [], flow: undefined, userAgent: '' },
  })
  const own = trunkConfig({ targets: [], accept: { ...trunk.accept, from: [] } })
  const to = (contact: string, of = own) =>
    new Redirects().follow({ trunk: of, target: registered! }, answer(contact))
  t.match(to('<sip:202@192.168.7.7:5060>'), [{ user: '202', target: registered }])
  t.match(to('<sip:202@192.168.7.8>'), { code: 'CALL_PBX_REDIRECT_REFUSED' })
  t.match(to('<sip:202@192.168.7.7>', { ...own, redirects: 'off' }), {
    code: 'CALL_PBX_REDIRECT_REFUSED',
  })
})

t.test('a call goes nowhere twice, and not on for ever', async (t) => {
  const redirects = new Redirects()
  redirects.tried(from, 'sip:100@10.0.0.9:5060;transport=udp')
  t.equal(
    follow(redirects, '<sip:100@10.0.0.9>'),
    'CALL_PBX_REDIRECT_REFUSED',
    'where it came from',
  )
  t.same(follow(redirects, '<sip:200@10.0.0.9>'), ['200@10.0.0.9'])
  t.equal(follow(redirects, '<sip:200@10.0.0.9:5060>'), 'CALL_PBX_REDIRECT_REFUSED', 'again')
  t.equal(follow(redirects, '<sip:200@203.0.113.1>'), 'CALL_PBX_REDIRECT_REFUSED', 'elsewhere')
  const many = [1, 2, 3, 4, 5, 6].map((n) => `<sip:${n}@10.0.0.9>`).join(',')
  t.same(
    follow(redirects, many),
    [1, 2, 3, 4].map((n) => `${n}@10.0.0.9`),
    'five in all',
  )
  t.equal(follow(redirects, '<sip:7@10.0.0.9>'), 'CALL_PBX_REDIRECT_REFUSED')
})
