import { consumerOf } from '../calls/filters.ts'
import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway calls forget`. */
export const verb: Verb = {
  name: 'calls forget',
  summary: 'remove every ended call of a consumer from the history',
  usage: `Usage: causeway calls forget CONSUMER [-c FILE | --url URL] [--json]

Removes the records of every call of a consumer that has ended, from memory and
from the file, where their place is overwritten. CONSUMER is a phone number
(+33199001234) or a business-scoped user ID. A call in progress is recorded when
it ends. Logs, exports and what was pushed elsewhere are not touched.

Options:
${INSTANCE_USAGE}
      --json          { consumer, forgotten }

Example:
  causeway calls forget +33199001234
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, INSTANCE_OPTIONS, 1)
    const query = new URLSearchParams({ consumer: consumerOf(positionals[0]!) })
    const client = connect(values, io)
    const { body } = await client.send<{ consumer: string; forgotten: number }>(
      'DELETE',
      `/api/v1/calls?${query}`,
    )
    const { consumer, forgotten } = body
    if (values.json) io.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    else
      io.stdout.write(`${forgotten} ${forgotten === 1 ? 'call' : 'calls'} of ${consumer} removed\n`)
    return EXIT.done
  },
}
