import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway drain`. */
export const verb: Verb = {
  name: 'drain',
  summary: 'refuse new calls on a running instance; those in progress go on',
  usage: `Usage: causeway drain [-c FILE | --url URL] [--json]

From now on new INVITEs get 503 with Retry-After, and /readyz says no, so that a load balancer looks
elsewhere. Calls in progress go on for as long as they last. undrain takes calls again; SIGTERM drains
and then ends the process.

Options:
${INSTANCE_USAGE}
      --json          { draining, calls }

Example:
  causeway drain -c /etc/causeway/causeway.yaml
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, INSTANCE_OPTIONS)
    const client = connect(values, io)
    const { body } = await client.send<{ draining: boolean }>('POST', '/api/v1/drain')
    const { total } = await client.get<{ total: number }>('/api/v1/calls?state=active&limit=1')
    const left = total === 1 ? '1 call' : `${total} calls`
    if (values.json) io.stdout.write(`${JSON.stringify({ ...body, calls: total }, null, 2)}\n`)
    else io.stdout.write(`draining: new calls are refused, ${left} in progress\n`)
    return EXIT.done
  },
}
