import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { permissionLines, timeText } from '../../src/cli/permission-lines.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { createGraphSimulator } from '../../src/simulator/graph/index.ts'
import { granted, HOUR, NOW, permission } from '../permissions/support.ts'
import { NUMBER } from '../simulator/graph/support.ts'
import { causeway } from '../support/cli.ts'
import { edit } from '../support/config-file.ts'
import { numberConfig } from '../support/configs.ts'

const CONSUMER = '+33199001234'

/** The verbs against the simulator's Graph API; the number takes calls. */
async function lab(t: Test, ...changes: [from: string, to: string][]) {
  const graph = createGraphSimulator({
    numbers: [NUMBER],
    clock: systemClock,
    random: systemRandom,
  })
  await graph.start()
  t.teardown(() => graph.stop())
  const number = graph.store.lookupNumberById(NUMBER.phoneNumberId)!
  number.calling.status = 'ENABLED'
  const cwd = t.testdir({ tls: { 'cert.pem': 'x', 'key.pem': 'x' } })
  const whatsapp = `whatsapp: { graph_url: "${graph.url}" }\nnumbers:`
  const text = edit(['token-of-support', NUMBER.accessToken], ['numbers:', whatsapp], ...changes)
  writeFileSync(join(cwd, 'causeway.yaml'), text)
  const run = (...args: string[]) => causeway(['permissions', ...args], { cwd })
  return { graph, number, run }
}

t.test('show: none, then temporary, then permanent', async (t) => {
  const { graph, number, run } = await lab(t)
  const none = await run('show', 'support', CONSUMER)
  t.equal(none.code, 2)
  t.equal(
    none.stdout,
    `support +441632960123 calling +33199001234

✗ permission  none: not given, not on WhatsApp, or terms not accepted
✗ call now    no, without permission
              0 of 100 connected calls used in 24 hours
✓ ask now     yes
              0 of 1 requests used in 24 hours
              0 of 2 requests used in 7 days

Next: causeway permissions request support +33199001234
`,
  )
  graph.store.grantPermission(number, CONSUMER, false)
  const temporary = await run('show', '+44 1632 960123', '0033 199-001234')
  t.equal(temporary.code, 0)
  t.match(
    temporary.stdout,
    /^✓ permission {2}temporary, until \w+, \d+ \w+ \d{4}, \d\d:\d\d \S+.*, in (7 d|6 d 23 h)$/m,
  )
  t.match(temporary.stdout, /\n\nNext: call\.\n$/)
  graph.store.grantPermission(number, CONSUMER, true)
  const permanent = await run('show', 'support', CONSUMER)
  t.match(permanent.stdout, /^✓ permission {2}permanent, until the consumer revokes it$/m)
  t.match(permanent.stdout, /^· ask now {5}no need to$/m)
})

t.test('show --json', async (t) => {
  const { graph, number, run } = await lab(t)
  graph.store.countPermissionRequest(number, CONSUMER)
  const { code, stdout, stderr } = await run('show', 'support', CONSUMER, '--json')
  t.equal(code, 2)
  t.equal(stderr, '')
  t.match(JSON.parse(stdout), {
    number: 'support',
    phone_number: '+441632960123',
    consumer: CONSUMER,
    permission: { status: 'no_permission', expires: null },
    call: {
      allowed: false,
      code: 'CALL_WHATSAPP_NO_PERMISSION',
      limits: [{ period: 'PT24H', max: 100, used: 0, until: null }],
    },
    request: {
      allowed: false,
      code: 'CALL_PERMISSION_REQUEST_LIMIT',
      limits: [{ period: 'PT24H', max: 1, used: 1, until: /^\d{4}-.*Z$/ }, { used: 1 }],
    },
  })
})

t.test('request: free-form, template, what the trunk says, and too often', async (t) => {
  const { graph, number, run } = await lab(t, [
    '    outbound:',
    '    permissions: { mode: request, template: calls, language: en_GB }\n    outbound:',
  ])
  const asked: string[] = []
  graph.setPermissionReply(({ consumer }) => {
    asked.push(consumer)
    return undefined
  })
  const text = await run('request', 'support', CONSUMER, '--text', 'May we call you?')
  t.equal(text.code, 0)
  t.equal(
    text.stdout,
    `✓ support +441632960123 has asked +33199001234: “May we call you?”
See the answer: causeway permissions show support +33199001234
`,
  )
  const named = ['--template', 'other', '--language', 'fr']
  const template = await run('request', 'support', '+33199001235', ...named)
  t.match(template.stdout, 'has asked +33199001235: template other, fr\n')
  const { code, stdout } = await run('request', 'support', 'FR.1349', '--json')
  t.equal(code, 0)
  t.match(JSON.parse(stdout), {
    ok: true,
    number: 'support',
    consumer: 'FR.1349',
    message: { template: 'calls', language: 'en_GB' },
    message_id: /^wamid\./,
  })
  t.same(asked, ['33199001234', '33199001235', 'FR.1349'])
  t.equal(graph.store.limits(number, CONSUMER).requests[0]!.current_usage, 1)
  const again = await run('request', 'support', CONSUMER)
  t.equal(again.code, 1)
  t.match(again.stderr, /^error\[SETTINGS_GRAPH_138009\]: /)
  t.match(again.stderr, 'causeway permissions show tells when')
})

t.test('request without a trunk’s message is free-form', async (t) => {
  const { run } = await lab(t)
  const { stdout } = await run('request', 'support', CONSUMER)
  t.match(stdout, 'has asked +33199001234: free-form message\n')
})

t.test('wrong arguments are usage errors before anything is sent', async (t) => {
  const { graph, run } = await lab(t)
  graph.setPermissionReply(() => {
    throw new Error('a message was sent')
  })
  const rows: [string[], string][] = [
    [['show', 'support'], 'an argument is missing'],
    [['show', 'suport', CONSUMER], 'no number suport; did you mean support?'],
    [['show', '+441632960999', CONSUMER], 'no number +441632960999; there are support'],
    [['show', 'support', '200'], 'consumer 200: expected +33199001234'],
    [['request', 'support', CONSUMER, '--template', 'x'], '--template and --language belong'],
    [['request', 'support', CONSUMER, '--language', 'en'], '--template and --language belong'],
    [['request', 'support', CONSUMER, '--text', ' '], '--text: the text is empty'],
    [
      ['request', 'support', CONSUMER, '--text', 'x'.repeat(1025)],
      '--text: 1025 characters, WhatsApp takes 1024',
    ],
    [
      ['request', 'support', CONSUMER, '--text', 'x', '--template', 'x', '--language', 'en'],
      '--template brings its own text',
    ],
  ]
  for (const [args, said] of rows) {
    const { code, stderr } = await run(...args)
    t.equal(code, 64, args.join(' ').slice(0, 80))
    t.match(stderr, said)
  }
})

t.test('what WhatsApp or the configuration stands against', async (t) => {
  const { run } = await lab(t, [NUMBER.accessToken, 'wrong-token'])
  const refused = await run('show', 'support', CONSUMER, '--json')
  t.equal(refused.code, 1)
  t.match(JSON.parse(refused.stdout), { ok: false, errors: [{ code: 'SETTINGS_GRAPH_190' }] })
  t.notMatch(refused.stdout + refused.stderr, 'wrong-token')
  const dialog = await lab(t, ['{ graph_url', '{ provider: 360dialog, graph_url'])
  const undocumented = await dialog.run('show', 'support', CONSUMER)
  t.equal(undocumented.code, 1)
  t.match(undocumented.stderr, /^error\[PERMISSION_PROVIDER\]/)
})

t.test('the lines for states that are rare', async (t) => {
  const pair = { number: numberConfig(), consumer: CONSUMER }
  const lines = (given: Parameters<typeof permissionLines>[1]) =>
    permissionLines(pair, given, NOW, (_, text) => text).join('\n')
  const until = NOW + 26 * HOUR
  const used = { allowed: false, limits: [{ period: 'PT24H', max: 100, used: 100, until }] }
  const full = lines(granted({ status: 'temporary', call: used }))
  t.match(full, /^✓ permission {2}temporary$/m)
  t.match(full, /^✗ call now {4}no$/m)
  t.match(full, /100 of 100 connected calls used in 24 hours, free again .*, in 1 d 2 h$/m)
  t.match(full, /^Next: Wait until the limit is over/m)
  const over = lines(granted({ status: 'temporary', expires: NOW - 90 * 60_000 }))
  t.match(over, /^✗ permission {2}none: the temporary permission ended .*, 1 h 30 min ago$/m)
  const asked = { allowed: false, limits: [{ period: 'P7D', max: 2, used: 2, until }] }
  t.match(lines(permission({ request: asked })), /^Next: wait for the consumer .* ask again from /m)
  t.match(lines(permission({ request: { allowed: false, limits: [] } })), /ask again later\.$/)
})

t.test('times are local, with UTC where that differs', async (t) => {
  const text = timeText(NOW, NOW - 5 * 60_000)
  const away = new Date(NOW).getTimezoneOffset() !== 0
  t.match(text, /^\w+, \d+ Jun 2026, \d\d:\d\d \S+.*, in 5 min$/)
  t.equal(text.includes('(2026-06-10T12:00Z)'), away)
  t.match(timeText(NOW + 10_000, NOW), /in 1 min$/)
})
