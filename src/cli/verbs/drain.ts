import { parseDuration } from '../../config/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { type Client, connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** Milliseconds between two looks at the calls that are left. */
const INTERVAL = 500

/** `causeway drain`. */
export const verb: Verb = {
  name: 'drain',
  summary: 'refuse new calls; those in progress go on',
  usage: `Usage: causeway drain [-c FILE | --url URL] [--wait DURATION] [--json]

From now on new INVITEs get 503 with Retry-After, and /readyz says no, so that a
load balancer looks elsewhere. Calls in progress go on for as long as they last.
undrain takes calls again; SIGTERM drains and then ends the process.

Options:
      --wait DURATION  wait until no call is left, for at most that long: 30s,
                       5m, 1h
${INSTANCE_USAGE}
      --json          { draining, calls }

Exit codes: 0 draining, and with --wait no call is left; 1 calls are left after
that time.

Examples:
  causeway drain -c /etc/causeway/causeway.yaml
  causeway drain -c /etc/causeway/causeway.yaml --wait 5m \\
    && systemctl stop causeway
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, { ...INSTANCE_OPTIONS, wait: { type: 'string' } })
    const wait = values.wait === undefined ? 0 : parseDuration(values.wait)
    if (typeof wait !== 'number')
      throw new UsageError(`--wait ${values.wait}: expected 30s, 5m or 1h`)
    const client = connect(values, io)
    const { body } = await client.send<{ draining: boolean }>('POST', '/api/v1/drain')
    const calls = await callsAfter(client, wait, io.signal)
    const left = calls === 1 ? '1 call' : `${calls} calls`
    if (values.json) io.stdout.write(`${JSON.stringify({ ...body, calls }, null, 2)}\n`)
    else {
      const over = calls > 0 && values.wait !== undefined ? ` after ${values.wait}` : ''
      io.stdout.write(`draining: new calls are refused, ${left} in progress${over}\n`)
    }
    return values.wait !== undefined && calls > 0 ? EXIT.failed : EXIT.done
  },
}

/** Calls in progress once there are none, or after the time. */
async function callsAfter(client: Client, ms: number, signal: AbortSignal): Promise<number> {
  const deadline = systemClock.monotonic() + ms
  for (;;) {
    const { total } = await client.get<{ total: number }>('/api/v1/calls?state=active&limit=1')
    const left = deadline - systemClock.monotonic()
    if (total === 0 || left <= 0 || signal.aborted) return total
    await new Promise<void>((resolve) => {
      systemClock.setTimeout(resolve, Math.min(INTERVAL, left))
    })
  }
}
