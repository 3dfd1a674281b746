import t from 'tap'
import { configChanges, numbersChanged } from '../../src/app/reload.ts'
import { reloadedWebhooks } from '../../src/app/webhooks.ts'
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
    { applied: ['limits.calls', 'log.level'], restart: ['log.numbers'] },
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
    { restart: ['whatsapp.webhooks'] },
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

t.test('the secrets of the webhooks are taken at once, their path at the next start', async (t) => {
  const webhooks = (path: string, secret: string, token: string) =>
    configOf(
      edit([
        'media:',
        `whatsapp: { webhooks: { path: ${path}, app_secret: ${secret}, verify_token: ${token} } }\nmedia:`,
      ]),
    )
  const first = webhooks('/hook', 'a', 'b')
  const second = webhooks('/other', 'c', 'd')
  t.same(configChanges(first, second), {
    restart: ['whatsapp.webhooks.path'],
    applied: ['whatsapp.webhooks.verify_token', 'whatsapp.webhooks.app_secret'],
  })
  const taken = reloadedWebhooks(first.whatsapp.webhooks, second.whatsapp.webhooks)!
  t.equal(taken.path, '/hook')
  t.equal(taken.appSecret?.reveal(), 'c')
  t.equal(taken.verifyToken?.reveal(), 'd')
  t.equal(reloadedWebhooks(undefined, taken), undefined)
  t.equal(reloadedWebhooks(taken, undefined), taken)
})
