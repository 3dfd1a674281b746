import t from 'tap'
import {
  configChanges,
  numbersChanged,
  reloadedConfig,
  restartReason,
} from '../../src/app/reload.ts'
import { configOf, edit } from '../support/config-file.ts'

const before = configOf(edit())

const rows: [string, [string, string], { applied?: string[]; restart?: string[] }][] = [
  ['a token of a number', ['token-of-support', 'another'], { applied: ['numbers'] }],
  ['a trunk target', ['10.0.0.9', '10.0.0.10'], { applied: ['trunks'] }],
  ['the domain', ['sip.example.com', 'sip2.example.com'], { restart: ['sip.domain'] }],
  ['a listener', ['10.0.0.5:5060', '10.0.0.5:5070'], { restart: ['sip.listen'] }],
  [
    'limits and the log',
    ['media:', 'limits: { calls: 5 }\nlog: { level: debug, numbers: masked }\nmedia:'],
    { applied: ['limits.calls', 'log.level', 'log.numbers'] },
  ],
  [
    'the HTTP token and address',
    ['media:', 'http: { listen: "127.0.0.1:9999", token: t }\nmedia:'],
    { applied: ['http.token'], restart: ['http.listen'] },
  ],
  [
    'sources of WhatsApp',
    ['media:', 'whatsapp: { sources: ["192.0.2.0/24"], challenge: false }\nmedia:'],
    { applied: ['whatsapp.sources', 'whatsapp.challenge'] },
  ],
  [
    'intervals, where WhatsApp is',
    [
      'media:',
      'whatsapp: { check_interval: 1h, credentials_interval: 0, graph_version: v25.0 }\nmedia:',
    ],
    {
      applied: ['whatsapp.check_interval', 'whatsapp.credentials_interval'],
      restart: ['whatsapp.graph_version'],
    },
  ],
  ['the certificate', ['tls/cert.pem', 'tls/other.pem'], { applied: ['sip.tls'] }],
  [
    'the public address',
    ['domain: sip.example.com', 'domain: sip.example.com\n  external_address: 203.0.113.77'],
    { applied: ['sip.external_address'] },
  ],
  [
    'ports and music of the media',
    ['media:', 'media:\n  hold_music: moh.wav\n  ports: 30000-30999'],
    { applied: ['media.hold_music'], restart: ['media.ports'] },
  ],
  [
    'targets of events',
    ['media:', 'events: { webhooks: [{ url: "https://crm.example.com", secret: s }] }\nmedia:'],
    { applied: ['events.webhooks'] },
  ],
  [
    'how long calls are kept',
    ['media:', 'records: { keep: 7d, max_size: 1MiB }\nmedia:'],
    { restart: ['records.keep', 'records.max_size'] },
  ],
  [
    'whether calls are kept',
    ['media:', 'records: { history: false }\nmedia:'],
    { restart: ['records.history'] },
  ],
  [
    'whether there are webhooks',
    ['media:', 'whatsapp: { webhooks: { app_secret: s, verify_token: t } }\nmedia:'],
    { applied: ['whatsapp.webhooks'] },
  ],
]

for (const [name, change, expected] of rows) {
  t.test(`a reload that changes ${name}`, async (t) => {
    const { applied, restart } = configChanges(before, configOf(edit(change)))
    t.same(applied.sort(), (expected.applied ?? []).sort(), 'applied')
    t.same(restart.sort(), (expected.restart ?? []).sort(), 'restart')
  })
}

t.test('the same file again changes nothing, secrets included', async (t) => {
  t.same(configChanges(before, configOf(edit())), { applied: [], restart: [] })
  t.notOk(numbersChanged(before, configOf(edit())))
  t.ok(numbersChanged(before, configOf(edit(['token-of-support', 'another']))))
})

t.test('the webhooks of WhatsApp are taken, key by key', async (t) => {
  const webhooks = (path: string, secret: string, token: string) =>
    configOf(
      edit([
        'media:',
        `whatsapp: { webhooks: { path: ${path}, app_secret: ${secret}, verify_token: ${token} } }\nmedia:`,
      ]),
    )
  t.same(configChanges(webhooks('/hook', 'a', 'b'), webhooks('/other', 'c', 'd')), {
    restart: [],
    applied: [
      'whatsapp.webhooks.path',
      'whatsapp.webhooks.verify_token',
      'whatsapp.webhooks.app_secret',
    ],
  })
})

t.test('what runs afterwards: what is live of the file, the rest as it was', async (t) => {
  const file = configOf(
    edit(
      ['10.0.0.9', '10.0.0.10'],
      ['sip.example.com', 'sip2.example.com'],
      ['tls/key.pem', 'tls/other.pem'],
      [
        'media:',
        `limits: { calls: 5 }
log: { level: debug, numbers: masked }
http: { listen: "127.0.0.1:9999", token: t }
whatsapp: { sip_domain: wa.example.com, check_interval: 1h, webhooks: { app_secret: s, verify_token: t } }
records: { path: elsewhere }
media:
  ports: 30000-30999`,
      ],
    ),
  )
  const running = reloadedConfig(before, file)
  t.equal(running.file, before.file)
  t.equal(running.sip.domain, before.sip.domain)
  t.same(running.sip.tls, file.sip.tls)
  t.same(running.media.ports, before.media.ports)
  t.same(running.trunks, file.trunks)
  t.same(running.limits, file.limits)
  t.same(running.log, file.log)
  t.same(running.http.listen, before.http.listen)
  t.equal(running.http.token?.reveal(), 't')
  t.equal(running.whatsapp.sipDomain, before.whatsapp.sipDomain)
  t.equal(running.whatsapp.checkInterval, 3_600_000)
  t.equal(running.whatsapp.webhooks?.appSecret?.reveal(), 's')
  t.same(running.records, before.records)
  t.same(configChanges(before, running).restart, [], 'nothing of it needs a restart')
  t.same(configChanges(running, file).applied, [], 'and nothing that could be taken is left')
  t.same(reloadedConfig(running, before), before, 'and back')
})

t.test('every key that waits for a restart has a reason', async (t) => {
  t.match(restartReason('sip.listen'), /bound at the start/)
  t.match(restartReason('whatsapp.graph_url'), /WhatsApp/)
  for (const section of ['sip', 'media', 'whatsapp', 'http', 'records'] as const) {
    for (const key of Object.keys(before[section])) {
      const path = `${section}.${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`
      const file = { ...before, [section]: { ...before[section], [key]: 'changed' } }
      const { restart } = configChanges(before, file)
      if (restart.length > 0) t.not(restartReason(path), 'it is read at the start', path)
    }
  }
})

t.test('other intervals are taken by looking at the numbers again', async (t) => {
  t.ok(
    numbersChanged(before, configOf(edit(['media:', 'whatsapp: { check_interval: 1h }\nmedia:']))),
  )
})
