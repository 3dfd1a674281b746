import t from 'tap'
import { configChanges, numbersChanged } from '../../src/app/reload.ts'
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
