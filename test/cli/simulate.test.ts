import { once } from 'node:events'
import { mkdtempSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { main } from '../../src/cli/main.ts'
import { loadConfig } from '../../src/config/index.ts'

/** Runs `causeway simulate` until it has printed `mark`, then interrupts it. */
async function simulate(args: string[], mark: string): Promise<{ code: number; out: string }> {
  const controller = new AbortController()
  let out = ''
  const stdout = {
    write(text: string) {
      out += text
      if (out.includes(mark)) controller.abort('SIGINT')
    },
  }
  const ports = ['--graph-port', '0', '--sip-port', '0', '--control-port', '0']
  const code = await main(['simulate', ...ports, ...args], {
    stdout,
    stderr: stdout,
    env: {},
    cwd: '.',
    signal: controller.signal,
  })
  return { code, out }
}

t.test('what it prints is enough to configure Causeway', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-simulate-'))
  const { code, out } = await simulate(
    ['--json', '--folder', folder, '--number', '+441632960123=42', '--number', '+441632960124'],
    '}\n',
  )
  t.equal(code, 0)
  const printed = JSON.parse(out)
  t.match(printed, {
    graph: /^http:\/\/127\.0\.0\.1:\d+$/,
    sip: { host: '127.0.0.1' },
    control: /^http:\/\/127\.0\.0\.1:\d+$/,
    ca: join(folder, 'ca.pem'),
  })
  t.match(readFileSync(printed.certificate.cert, 'utf8'), /BEGIN CERTIFICATE/)
  const { config } = loadConfig('causeway.yaml', {
    env: {},
    readFile: (name) =>
      name.endsWith('causeway.yaml') ? printed.configuration : readFileSync(name, 'utf8'),
  })
  t.equal(config.whatsapp.graphUrl, printed.graph)
  t.equal(config.whatsapp.sipProxy, `sip:127.0.0.1:${printed.sip.port};transport=tls`)
  t.same(
    config.numbers.map((number) => [number.name, number.phoneNumber, number.phoneNumberId]),
    [
      ['support', '+441632960123', '42'],
      ['number-2', '+441632960124', '10441632960124'],
    ],
  )
})

t.test('the folder is made; one that cannot be is said', async (t) => {
  const folder = join(mkdtempSync(join(tmpdir(), 'causeway-simulate-')), 'lab', 'one')
  const { code } = await simulate(['--folder', folder], 'trunks:')
  t.equal(code, 0)
  t.match(readFileSync(join(folder, 'ca.pem'), 'utf8'), /BEGIN CERTIFICATE/)
  const inFile = join(folder, 'ca.pem', 'x')
  const { code: wrong, out } = await simulate(['--folder', inFile], 'trunks:')
  t.equal(wrong, 64)
  t.match(out, `--folder ${inFile}: `)
})

t.test('people get text', async (t) => {
  const { code, out } = await simulate([], 'trunks:')
  t.equal(code, 0)
  t.match(out, /^Graph API {4}http:/)
  t.match(out, /as wa\.meta\.vc\n/)
})

t.test('a port that is taken', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { code, out } = await simulate(['--sip-port', String(port)], 'never')
  t.equal(code, 1)
  t.match(out, /APP_SIMULATOR_LISTEN/)
  t.match(out, /--sip-port/)
})

t.test('wrong options', async (t) => {
  for (const [args, message] of [
    [['--number', '0123'], /--number 0123: expected/],
    [['--graph-port', '70000'], /--graph-port 70000/],
    [['--business', ':5'], /--business :5/],
    [['--webhook', 'x'], /did you mean --webhooks/],
  ] as const) {
    const { code, out } = await simulate([...args], 'never')
    t.equal(code, 64)
    t.match(out, message)
  }
})
