import t from 'tap'
import { configOf, issuesOf, VALID } from '../support/config-file.ts'

t.test('tracing is off unless it is asked for', async (t) => {
  const { trace, telemetry } = configOf(VALID)
  t.same(trace, { messages: 'off', keep: 100, calls: 1000, memory: 64 * 1024 ** 2, hep: undefined })
  t.equal(telemetry, undefined)
})

t.test('all of it', async (t) => {
  const { trace, telemetry } = configOf(`${VALID}
trace:
  messages: calls
  keep: 40
  memory: 8MiB
  hep: { target: "udp://[2001:db8::7]:9060", id: 7, password: hush }
telemetry: { endpoint: "https://otel.example.com/", token: hush, header: x-api-key, sample: 0.1, numbers: true }
`)
  t.match(trace, { messages: 'calls', keep: 40, memory: 8 * 1024 ** 2 })
  t.match(trace.hep, { target: { host: '2001:db8::7', port: 9060 }, id: 7 })
  t.equal(trace.hep?.password?.reveal(), 'hush')
  t.match(telemetry, { endpoint: 'https://otel.example.com', header: 'x-api-key', sample: 0.1 })
  t.match(telemetry, { serviceName: 'causeway', numbers: true })
})

t.test('what is wrong is named with its place', async (t) => {
  for (const [text, code, path] of [
    ['trace: { messages: all }', 'CONFIG_BAD_VALUE', 'trace.messages'],
    ['trace: { keep: 1 }', 'CONFIG_BAD_VALUE', 'trace.keep'],
    ['trace: { memory: 8MB }', 'CONFIG_BAD_VALUE', 'trace.memory'],
    ['trace: { hep: { target: "tcp://10.0.0.7:9060" } }', 'CONFIG_BAD_VALUE', 'trace.hep.target'],
    ['trace: { hep: { target: "udp://10.0.0.7" } }', 'CONFIG_BAD_VALUE', 'trace.hep.target'],
    ['trace: { hep: { target: "udp://10.0.0.7:0" } }', 'CONFIG_BAD_VALUE', 'trace.hep.target'],
    ['trace: { hep: {} }', 'CONFIG_MISSING_KEY', 'trace.hep.target'],
    ['telemetry: { token: hush }', 'CONFIG_MISSING_KEY', 'telemetry.endpoint'],
    ['telemetry: { endpoint: "127.0.0.1:4318" }', 'CONFIG_BAD_VALUE', 'telemetry.endpoint'],
    ['telemetry: { endpoint: "http://a:b@x" }', 'CONFIG_BAD_VALUE', 'telemetry.endpoint'],
    ['telemetry: { endpoint: "http://x?key=1" }', 'CONFIG_BAD_VALUE', 'telemetry.endpoint'],
    ['telemetry: { endpoint: "http://x", sample: 2 }', 'CONFIG_BAD_VALUE', 'telemetry.sample'],
    ['telemetry: { endpoint: "http://x", header: "a b" }', 'CONFIG_BAD_VALUE', 'telemetry.header'],
    [
      'telemetry: { endpoint: "http://x", numbers: true }\nlog: { numbers: masked }',
      'CONFIG_TRACE_NUMBERS',
      'telemetry.numbers',
    ],
  ] as const) {
    t.match(issuesOf(`${VALID}${text}\n`).errors, [{ code, path }], text)
  }
})

t.test('a drachtio-server elsewhere shows no messages: a warning', async (t) => {
  const elsewhere = VALID.replace(/^sip:\n/m, 'sip:\n  server: drachtio://:secret@127.0.0.1:9022\n')
  const hep = 'hep: { target: "udp://10.0.0.7:9060" }'
  const { warnings } = issuesOf(`${elsewhere}trace: { messages: calls, ${hep} }\n`)
  t.match(
    warnings.filter(({ code }) => code === 'CONFIG_TRACE_BLIND'),
    [{ path: 'trace.messages' }, { path: 'trace.hep' }],
  )
  t.notMatch(issuesOf(`${elsewhere}trace: { messages: off }\n`).warnings, [
    { code: 'CONFIG_TRACE_BLIND' },
  ])
})
