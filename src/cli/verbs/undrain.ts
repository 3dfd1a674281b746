import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway undrain`. */
export const verb: Verb = {
  name: 'undrain',
  summary: 'take new calls again after drain',
  usage: `Usage: causeway undrain [-c FILE | --url URL] [--json]

Takes back causeway drain: new calls are taken again.

Options:
${INSTANCE_USAGE}
      --json          { draining }

Example:
  causeway undrain -c /etc/causeway/causeway.yaml
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, INSTANCE_OPTIONS)
    const client = connect(values, io)
    const { body } = await client.send<{ draining: boolean }>('POST', '/api/v1/undrain')
    if (values.json) io.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    else io.stdout.write('not draining: new calls are taken\n')
    return EXIT.done
  },
}
