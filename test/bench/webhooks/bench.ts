import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { Causeway } from '../../blackbox/support/causeway.ts'
import { drive, type Step } from './drive.ts'

const HELP = `npm run bench -- webhooks [options]

Signed webhooks against a Causeway of its own: at each rate in turn, then as many as it takes.

  --rates 1000,2000   events a second, each in a POST of its own
  --seconds 10        length of each step
  --connections 32    kept connections
  --json FILE         where the figures go (data/bench-webhooks.json)`

const APP_SECRET = 'bench-secret'

/** A number that needs no Graph API, and nothing that would call anybody. */
const CONFIGURATION = {
  sip: {
    domain: 'sip.example.com',
    listen: { whatsapp: 'tcp://127.0.0.1:0', pbx: ['udp://127.0.0.1:0'] },
  },
  media: { relay: 'none' },
  whatsapp: { webhooks: { verify_token: 'bench', app_secret: APP_SECRET } },
  numbers: [
    {
      name: 'bench',
      phone_number: '+441632960123',
      phone_number_id: '106540352242922',
      manage: 'off',
      sip_password: 'bench',
      inbound: { trunk: 'bench' },
    },
  ],
  trunks: [{ name: 'bench', targets: ['sip:127.0.0.1:9'], media: { srtp: 'sdes' } }],
  http: { listen: '127.0.0.1:0' },
  log: { level: 'warn' },
}

/** `npm run bench -- webhooks`: how many of WhatsApp's events a second are answered, and how fast. */
export async function benchWebhooks(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rates: { type: 'string', default: '1000,2000' },
      seconds: { type: 'string', default: '10' },
      connections: { type: 'string', default: '32' },
      json: { type: 'string', default: 'data/bench-webhooks.json' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return void console.log(HELP)
  const folder = mkdtempSync(join(tmpdir(), 'causeway-bench-webhooks-'))
  const file = join(folder, 'causeway.yaml')
  writeFileSync(file, JSON.stringify(CONFIGURATION))
  const up = new Causeway(['up', '-c', file, '--json'])
  try {
    const { http } = await up.ready()
    const common = {
      url: `${http}/webhooks/whatsapp`,
      secret: APP_SECRET,
      seconds: Number(values.seconds),
      connections: Number(values.connections),
    }
    const steps: Step[] = []
    console.log('  asked/s  answered/s   p50 ms   p99 ms   max ms  not 200  worked off')
    for (const rate of [...values.rates.split(',').map(Number), undefined]) {
      const step = await drive({ ...common, rate })
      const workedOff = await handled(http)
      steps.push(step)
      console.log(row(step, workedOff))
    }
    mkdirSync(dirname(values.json), { recursive: true })
    const figures = { at: new Date().toISOString(), cpus: cpus().length, steps }
    writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
    console.log(`figures in ${values.json}`)
  } finally {
    await up.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Events Causeway has worked off so far; waits until none is left. */
async function handled(http: string): Promise<number> {
  for (;;) {
    const text = await (await fetch(`${http}/metrics`)).text()
    const value = (name: string): number => {
      const line = text.split('\n').find((one) => one.startsWith(name))
      return Number(line?.split(' ').at(-1) ?? 0)
    }
    if (value('causeway_webhook_queue{kind="deliveries"}') === 0) {
      return value('causeway_webhook_events_total{field="calls",result="handled"}')
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

function row(step: Step, workedOff: number): string {
  const { rate, answered, seconds, p50, p99, max, refused } = step
  const cells: [string, number][] = [
    [rate === undefined ? 'all' : String(rate), 9],
    [(answered / seconds).toFixed(0), 12],
    [p50.toFixed(1), 9],
    [p99.toFixed(1), 9],
    [max.toFixed(1), 9],
    [String(refused), 9],
    [String(workedOff), 12],
  ]
  return cells.map(([text, width]) => text.padStart(width)).join('')
}
