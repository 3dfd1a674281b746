import t from 'tap'
import { brief, edit, issuesOf, VALID } from '../support/config-file.ts'

interface Case {
  name: string
  change: [string, string]
  is: string
  found?: string
  expected?: RegExp
  nearest?: string
}

const cases: Case[] = [
  {
    name: 'a misspelt key, and not the missing one besides',
    change: ['domain:', 'domian:'],
    is: 'CONFIG_UNKNOWN_KEY 2:3 sip.domian',
    found: 'domian',
    expected: /domain, external_address/,
    nearest: 'domain',
  },
  {
    name: 'a key in the wrong place',
    change: ['      trunk: main', '      trunk: main\n      challenge: true'],
    is: 'CONFIG_UNKNOWN_KEY 19:7 numbers[0].inbound.challenge',
  },
  {
    name: 'a derived key',
    change: ['{ status: ENABLED }', '{ status: ENABLED, servers: [] }'],
    is: 'CONFIG_SERVERS_DERIVED 16:31 numbers[0].calling.sip.servers',
    found: 'servers',
    expected: /status: DISABLED/,
  },
  {
    name: 'a missing key, at its parent',
    change: ['  domain: sip.example.com\n', ''],
    is: 'CONFIG_MISSING_KEY 1:1 sip.domain',
    found: 'nothing',
    expected: /host name/,
  },
  {
    name: 'an empty value',
    change: ['domain: sip.example.com', 'domain:'],
    is: 'CONFIG_WRONG_TYPE 2:3 sip.domain',
    found: 'nothing',
  },
  {
    name: 'text for a list',
    change: ['[udp://10.0.0.5:5060]', 'udp://10.0.0.5:5060'],
    is: 'CONFIG_WRONG_TYPE 5:10 sip.listen.pbx',
    nearest: '[udp://10.0.0.5:5060]',
  },
  {
    name: 'an empty list',
    change: ['[udp://10.0.0.5:5060]', '[]'],
    is: 'CONFIG_BAD_VALUE 5:10 sip.listen.pbx',
  },
  {
    name: 'a word that is not known',
    change: ['relay: none', 'relay: rtpengin'],
    is: 'CONFIG_BAD_VALUE 8:10 media.relay',
    found: 'rtpengin',
    expected: /embedded, rtpengine, none/,
    nearest: 'rtpengine',
  },
  {
    name: 'a phone number without quotes',
    change: ['"+441632960123"', '+441632960123'],
    is: 'CONFIG_NOT_QUOTED 11:19 numbers[0].phone_number',
    nearest: '"+441632960123"',
  },
  {
    name: 'a phone number without plus',
    change: ['"+441632960123"', '"0044 1632 960123"'],
    is: 'CONFIG_BAD_VALUE 11:19 numbers[0].phone_number',
    nearest: '"+441632960123"',
  },
  {
    name: 'a phone number ID without quotes',
    change: ['"106540352242922"', '106540352242922'],
    is: 'CONFIG_NOT_QUOTED 12:22 numbers[0].phone_number_id',
    nearest: '"106540352242922"',
  },
  {
    name: 'a duration without unit',
    change: ['      trunk: main', '      trunk: main\n      ring_timeout: 30'],
    is: 'CONFIG_BAD_VALUE 19:21 numbers[0].inbound.ring_timeout',
    expected: /30s/,
    nearest: '30s',
  },
  {
    name: 'a template with an unknown placeholder',
    change: ['      trunk: main', '      trunk: main\n      to: "x-{busines}"'],
    is: 'CONFIG_BAD_VALUE 19:11 numbers[0].inbound.to',
    nearest: 'x-{business}',
  },
  {
    name: 'a template with a placeholder of the other direction',
    change: ['{ number: support }', '{ to: "{caller}" }'],
    is: 'CONFIG_BAD_VALUE 23:21 trunks[0].outbound.to',
  },
  {
    name: 'a target that is no URI',
    change: ['"sip:10.0.0.9:5060"', '"10.0.0.9:5060"'],
    is: 'CONFIG_BAD_VALUE 21:15 trunks[0].targets[0]',
    nearest: 'sip:10.0.0.9:5060',
  },
  {
    name: 'a sips target',
    change: ['"sip:10.0.0.9:5060"', '"sips:pbx.example.com"'],
    is: 'CONFIG_BAD_VALUE 21:15 trunks[0].targets[0]',
    nearest: 'sip:pbx.example.com;transport=tls',
  },
  {
    name: 'a target with a user part',
    change: ['"sip:10.0.0.9:5060"', '"sip:100@10.0.0.9"'],
    is: 'CONFIG_BAD_VALUE 21:15 trunks[0].targets[0]',
    nearest: 'sip:10.0.0.9',
  },
  {
    name: 'a misspelt key of a target',
    change: ['"sip:10.0.0.9:5060"', '{ uri: "sip:10.0.0.9", wieght: 2 }'],
    is: 'CONFIG_UNKNOWN_KEY 21:38 trunks[0].targets[0].wieght',
    nearest: 'weight',
  },
  {
    name: 'a listener with a name',
    change: ['udp://10.0.0.5:5060', 'udp://localhost:5060'],
    is: 'CONFIG_BAD_VALUE 5:11 sip.listen.pbx[0]',
  },
  {
    name: 'a port range the wrong way round',
    change: ['relay: none', 'ports: 30000-20000'],
    is: 'CONFIG_BAD_VALUE 8:10 media.ports',
    nearest: '20000-30000',
  },
  {
    name: 'a port range that starts odd',
    change: ['relay: none', 'ports: 20001-29999'],
    is: 'CONFIG_BAD_VALUE 8:10 media.ports',
    nearest: '20002-29999',
  },
  {
    name: 'a source network with too many bits',
    change: ['media:\n', 'whatsapp: { sources: [157.240.0.0/33] }\nmedia:\n'],
    is: 'CONFIG_BAD_VALUE 7:23 whatsapp.sources[0]',
  },
  {
    name: 'sources that are no list and no word',
    change: ['media:\n', 'whatsapp: { sources: metta }\nmedia:\n'],
    is: 'CONFIG_BAD_VALUE 7:22 whatsapp.sources',
    nearest: 'meta',
  },
  {
    name: 'a truth value of older YAML',
    change: ['media:\n', 'whatsapp: { challenge: no }\nmedia:\n'],
    is: 'CONFIG_WRONG_TYPE 7:24 whatsapp.challenge',
    expected: /true or false/,
    nearest: 'false',
  },
  {
    name: 'a number in quotes',
    change: ['media:\n', 'limits: { calls: "100" }\nmedia:\n'],
    is: 'CONFIG_WRONG_TYPE 7:18 limits.calls',
  },
  {
    name: 'a number out of range',
    change: ['media:\n', 'limits: { calls: 0 }\nmedia:\n'],
    is: 'CONFIG_BAD_VALUE 7:18 limits.calls',
  },
  {
    name: 'a list entry that is no mapping',
    change: ['trunks:\n', 'trunks:\n  - main\n'],
    is: 'CONFIG_WRONG_TYPE 20:5 trunks[0]',
  },
]

for (const { name, change, is, found, expected, nearest } of cases) {
  t.test(`${name} is named with its place`, async (t) => {
    const { errors } = issuesOf(edit(change))
    t.same(errors.map(brief), [is])
    const [issue] = errors
    t.equal(issue?.nearest, nearest)
    if (found) t.equal(issue?.found, found)
    if (expected) t.match(issue?.expected, expected)
    t.equal(issue?.place, `/etc/causeway/c.yaml:${is.split(' ').slice(1).join(' ')}`)
  })
}

t.test('a file that is no mapping is named as a whole', async (t) => {
  const [issue] = issuesOf('- sip\n').errors
  t.match(issue, { code: 'CONFIG_WRONG_TYPE', line: 1, path: '', detail: 'the file is a list' })
})

t.test('a misplaced key is told where it belongs', async (t) => {
  const { errors } = issuesOf(edit(['      trunk: main', '      trunk: main\n      challenge: on']))
  t.match(errors[0]?.detail, /that key belongs to whatsapp/)
})

t.test('all errors of a file are reported at once, in the order of the file', async (t) => {
  const { errors } = issuesOf(
    edit(
      ['domain: sip', 'domian: sip'],
      ['relay: none', 'relay: nothing'],
      ['"+441632960123"', '441632960123'],
      ['trunk: main', 'trunk: mian'],
      ['token-of-support', `\${TOKEN}`],
      ['srtp: sdes', 'srtp: sdse'],
    ),
  )
  t.same(errors.map(brief), [
    'CONFIG_UNKNOWN_KEY 2:3 sip.domian',
    'CONFIG_BAD_VALUE 8:10 media.relay',
    'CONFIG_NOT_QUOTED 11:19 numbers[0].phone_number',
    'CONFIG_VARIABLE_UNSET 13:19 numbers[0].access_token',
    'CONFIG_UNKNOWN_TRUNK 18:14 numbers[0].inbound.trunk',
    'CONFIG_BAD_VALUE 22:20 trunks[0].media.srtp',
  ])
})

t.test('YAML that does not parse is reported the same way', async (t) => {
  const tab = issuesOf('sip:\n\tdomain: a\n').errors
  t.equal(tab[0]?.code, 'CONFIG_YAML_SYNTAX')
  t.equal(tab[0]?.line, 2)
  t.match(tab[0]?.detail, /tab/)
  const bracket = issuesOf('sip:\n  listen: { pbx: [a, b }\n').errors
  t.ok(bracket.every(({ code }) => code === 'CONFIG_YAML_SYNTAX'))
  t.equal(bracket[0]?.line, 2)
  const colon = issuesOf('sip:\n  domain: a: b\n').errors
  t.match(colon[0]?.detail, /second ": "/)
  const alias = issuesOf('sip: *nothing\n').errors
  t.match(alias[0]?.detail, /alias/)
  const level = (key: string, of: string): string => `${key}: &${key} [${`*${of}, `.repeat(9)}]\n`
  const bomb = `a: &a [1]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}`
  t.match(issuesOf(bomb).errors, [{ code: 'CONFIG_YAML_SYNTAX' }])
  t.equal(issuesOf(`${VALID}---\nsip: {}\n`).errors[0]?.code, 'CONFIG_YAML_SYNTAX')
})

t.test('a duplicate key is one error among the others', async (t) => {
  const { errors } = issuesOf(edit(['  relay: none', '  relay: none\n  relay: nonne']))
  t.same(errors.map(brief), [
    'CONFIG_DUPLICATE_KEY 9:3 media.relay',
    'CONFIG_BAD_VALUE 9:10 media.relay',
  ])
  t.equal(errors[0]?.detail, 'relay')
})

t.test('an issue is data too', async (t) => {
  const { errors } = issuesOf(edit(['domain:', 'domian:']))
  t.match(JSON.parse(JSON.stringify(errors[0])), {
    code: 'CONFIG_UNKNOWN_KEY',
    file: '/etc/causeway/c.yaml',
    line: 2,
    column: 3,
    path: 'sip.domian',
    found: 'domian',
    nearest: 'domain',
    owner: 'user',
    retryable: false,
  })
})
