import t from 'tap'
import { formatConfig } from '../../src/config/index.ts'
import { brief, configOf, edit, issuesOf } from '../support/config-file.ts'

const TARGETS = 'targets: ["sip:10.0.0.9:5060"]'
const TLS = 'targets: ["sip:pbx.example.com;transport=tls"]'
const trunk = (...lines: string[]) => configOf(edit([TARGETS, lines.join('\n    ')])).trunks[0]!

t.test('targets have priorities and weights', async (t) => {
  const list = 'targets: ["sip:a", { uri: "sip:b", weight: 3, priority: 2 }]'
  t.match(trunk(list).targets, [
    { uri: 'sip:a', weight: 1, priority: 0 },
    { uri: 'sip:b', weight: 3, priority: 2 },
  ])
})

t.test('the ping is an interval, or a mapping', async (t) => {
  const defaults = { timeout: 4000, downAfter: 2, upAfter: 1 }
  t.same(trunk(TARGETS).options, { interval: 0, ...defaults })
  t.same(trunk(TARGETS, 'options: 30s').options, { interval: 30_000, ...defaults })
  t.same(trunk(TARGETS, 'options: { interval: 30s }').options, { interval: 30_000, ...defaults })
  t.same(
    trunk(TARGETS, 'options: { interval: 1m, timeout: 1s, down_after: 3, up_after: 2 }').options,
    { interval: 60_000, timeout: 1000, downAfter: 3, upAfter: 2 },
  )
  t.same(issuesOf(edit([TARGETS, `${TARGETS}\n    options: 30s`])), { errors: [], warnings: [] })
})

t.test('a target wants a listener of its transport', async (t) => {
  const PBX = 'pbx: [udp://10.0.0.5:5060]'
  const said = (uri: string, ...listeners: string[]) =>
    issuesOf(
      edit(
        [TARGETS, `targets: ["${uri}"]`],
        [PBX, `pbx: [${['udp://10.0.0.5:5060', ...listeners]}]`],
      ),
    ).warnings.filter(({ code }) => code === 'CONFIG_TARGET_TRANSPORT')
  const [tcp] = said('sip:10.0.0.9;transport=tcp')
  t.equal(brief(tcp!), 'CONFIG_TARGET_TRANSPORT 21:15 trunks[0].targets[0]')
  t.equal(tcp?.found, 'no tcp listener')
  t.match(tcp?.expected, 'tcp://0.0.0.0:5060')
  t.match(said('sip:[2001:db8::9]'), [
    { found: 'no udp IPv6 listener', expected: /udp:\/\/\[::\]/ },
  ])
  t.match(said('sip:pbx.example.com;transport=tcp'), [{ code: 'CONFIG_TARGET_TRANSPORT' }])
  t.same(said('sip:pbx.example.com'), [], 'DNS may choose')
  t.same(said('sip:10.0.0.9;transport=tcp', 'tcp://10.0.0.5:5060'), [])
  t.same(said('sip:pbx.example.com;transport=tcp', '"tcp://[::]:5060"'), [])
  t.same(said('sip:[2001:db8::9]', '"udp://[::]:5062"'), [])
  t.same(said('sip:10.0.0.9;transport=tls'), [], 'WhatsApp’s listener sends it')
})

t.test('what is printed reads back', async (t) => {
  const lines = [
    'targets: [{ uri: "sip:a;transport=tls", weight: 2, priority: 1 }]',
    'tls: { cert: c.pem, key: /k.pem, ca: ca.pem, server_name: pbx.example }',
    'options: { interval: 30s, timeout: 2s }',
    'failover: { timeout: 4s }',
    'redirects: any',
    'limits: { calls: 30, status: 486 }',
  ]
  const text = edit(
    [TARGETS, lines.join('\n    ')],
    ['    inbound:\n', '    limits: { calls: 0 }\n    inbound:\n'],
  )
  const config = configOf(text)
  const again = configOf(formatConfig(config))
  t.same(again.trunks, config.trunks)
  t.same(again.numbers[0]!.limits, { calls: 0, status: 503 })
  t.match(config.trunks[0], {
    tls: {
      certificate: { cert: '/etc/causeway/c.pem', key: '/k.pem' },
      ca: '/etc/causeway/ca.pem',
      serverName: 'pbx.example',
    },
    failover: { timeout: 4000 },
    redirects: 'any',
    limits: { calls: 30, status: 486 },
  })
})

t.test('files that cannot be read are told', async (t) => {
  const readFile = (file: string): string => {
    if (file.endsWith('client.key')) throw Object.assign(new Error('x'), { code: 'ENOENT' })
    return 'x'
  }
  const tls = 'tls: { cert: client.pem, key: client.key, ca: ca.pem }'
  const { warnings } = issuesOf(edit([TARGETS, `${TLS}\n    ${tls}`]), { readFile })
  t.same(warnings.slice(-1).map(brief), ['CONFIG_FILE_MISSING 22:35 trunks[0].tls.key'])
})

const issues: [name: string, text: string, is: string][] = [
  [
    'a certificate without its key',
    edit([TARGETS, `${TLS}\n    tls: { cert: a.pem }`]),
    'CONFIG_TRUNK_TLS_HALF 22:5 trunks[0].tls',
  ],
  [
    'TLS without a TLS target',
    edit([TARGETS, `${TARGETS}\n    tls: { ca: a.pem }`]),
    'CONFIG_TRUNK_TLS_UNUSED 22:5 trunks[0].tls',
  ],
  [
    'TLS with a drachtio-server',
    edit(
      [TARGETS, `${TLS}\n    tls: { ca: a.pem }`],
      ['  listen:\n', '  server: "drachtio://:x@127.0.0.1:9022"\n  listen:\n'],
    ),
    'CONFIG_TRUNK_TLS_FOREIGN 23:5 trunks[0].tls',
  ],
  [
    'two sections for one target',
    edit(
      [TARGETS, `${TLS}\n    tls: { ca: a.pem }`],
      [
        '    outbound: { number: support }\n',
        '    outbound: { number: support }\n  - name: b\n    targets: ["sip:PBX.example.com:5061;transport=tls"]\n    media: { srtp: sdes }\n    accept: { from: [10.0.0.7] }\n',
      ],
    ),
    'CONFIG_TRUNK_TLS_CONFLICT 26:15 trunks[1].targets[0]',
  ],
  [
    'pings too often',
    edit([TARGETS, `${TARGETS}\n    options: 100ms`]),
    'CONFIG_OPTIONS_TIMES 22:5 trunks[0].options',
  ],
  [
    'no time to answer a ping',
    edit([TARGETS, `${TARGETS}\n    options: { interval: 30s, timeout: 0 }`]),
    'CONFIG_OPTIONS_TIMES 22:5 trunks[0].options',
  ],
  [
    'a status that is none of the two',
    edit([TARGETS, `${TARGETS}\n    limits: { calls: 3, status: 404 }`]),
    'CONFIG_BAD_VALUE 22:33 trunks[0].limits.status',
  ],
  [
    'a word for a ping',
    edit([TARGETS, `${TARGETS}\n    options: often`]),
    'CONFIG_BAD_VALUE 22:14 trunks[0].options',
  ],
]
for (const [name, text, is] of issues) {
  t.test(name, async (t) => {
    const { errors, warnings } = issuesOf(text)
    const all = [...errors, ...warnings].filter(({ code }) => code !== 'CONFIG_NO_CALLERS')
    t.same(all.map(brief), [is])
  })
}
