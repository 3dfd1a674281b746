import type { CheckStatus } from '../../http/index.ts'
import { type Client, connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import type { Io } from '../io.ts'
import { type Paint, paintFor } from '../style.ts'
import { hang, printable } from '../text.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** One check of `GET /healthz`. */
interface Check {
  componentId: string
  status: CheckStatus
  output: string
}

/** `GET /healthz`. */
interface Health {
  status: CheckStatus
  releaseId: string
  checks: Record<string, Check[]>
}

interface CallCount {
  total: number
  calls: { direction: string }[]
}

const MARKS = {
  pass: ['green', '✓'],
  warn: ['yellow', '!'],
  fail: ['red', '✗'],
} as const

/** `causeway status`: the health of a running instance. */
export const verb: Verb = {
  name: 'status',
  summary: 'health of a running instance, with what is wrong',
  usage: `Usage: causeway status [-c FILE | --url URL] [--json]

Asks a running instance how it is: SIP server, media relay, configuration,
certificates, every number and every trunk, and how many calls are in progress.

Options:
${INSTANCE_USAGE}
      --json          { status, ready, reasons, version, url, calls, checks }

Exit codes: 0 everything passes, 2 warnings, 1 calls cannot be taken or nothing
answers.

Example:
  causeway status -c /etc/causeway/causeway.yaml
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, INSTANCE_OPTIONS)
    const client = connect(values, io)
    const [{ body: health }, { body: readiness }, calls] = await Promise.all([
      client.send<Health>('GET', '/healthz', [503]),
      client.send<{ ready: boolean; reasons: string[] }>('GET', '/readyz', [503]),
      client.get<CallCount>('/api/v1/calls?state=active&limit=1000'),
    ])
    const active = { total: calls.total, ...byDirection(calls) }
    if (values.json) {
      const { status, releaseId: version, checks } = health
      const all = { status, ...readiness, version, url: client.url, calls: active, checks }
      io.stdout.write(`${JSON.stringify(all, null, 2)}\n`)
    } else print(client, health, active, io)
    if (health.status === 'fail') return EXIT.failed
    return health.status === 'warn' ? EXIT.attention : EXIT.done
  },
}

type Active = { total: number } & ReturnType<typeof byDirection>

function byDirection({ calls }: CallCount) {
  const count = (direction: string): number =>
    calls.filter((call) => call.direction === direction).length
  return {
    'user-initiated': count('user-initiated'),
    'business-initiated': count('business-initiated'),
  }
}

function print(client: Client, health: Health, active: Active, io: Io): void {
  const paint = paintFor(io.stdout, io.env)
  const said = {
    pass: 'ready, everything in order',
    warn: 'ready, with warnings',
    fail: 'no calls can be taken',
  }[health.status]
  const [tone] = MARKS[health.status]
  const lines = [
    `${paint('bold', 'causeway')} ${health.releaseId} at ${client.url}: ${paint(tone, said)}`,
    `${active.total} call${active.total === 1 ? '' : 's'} in progress${directions(active)}`,
    '',
    ...checkLines(health.checks, paint),
  ]
  io.stdout.write(`${lines.join('\n')}\n`)
}

function directions(active: Active): string {
  if (active.total === 0) return ''
  return ` (${active['user-initiated']} user-initiated, ${active['business-initiated']} business-initiated)`
}

function checkLines(groups: Health['checks'], paint: Paint): string[] {
  const rows = Object.entries(groups).flatMap(([component, checks]) =>
    checks.map((check) => ({ component, ...check })),
  )
  const names = Math.max(...rows.map((row) => row.component.length))
  const ids = Math.max(...rows.map((row) => row.componentId.length))
  return rows.map(({ component, componentId, status, output }) => {
    const [tone, mark] = MARKS[status]
    const name = `${component.padEnd(names)}  ${componentId.padEnd(ids)}`
    const text = hang(printable(output), names + ids + 6)
    return `${paint(tone, mark)} ${name}  ${status === 'pass' ? text : paint(tone, text)}`
  })
}
