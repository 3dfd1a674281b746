import { SOURCE_OPTIONS, SOURCE_USAGE, sourceOf } from '../calls/source.ts'
import { formatCall } from '../ladder.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway calls show`. */
export const verb: Verb = {
  name: 'calls show',
  summary: 'one call with the ladder of its messages',
  usage: `Usage: causeway calls show ID [-c FILE [--offline] | --url URL] [--json]

Shows who called whom, how long it took to ring and to answer, how the call ended and who should act
on it, and every SIP message between WhatsApp, Causeway and the PBX with its time. ID is that of
calls list, or WhatsApp's (wacid.…).

Options:
${SOURCE_USAGE}
      --json          the call as in docs/reference/records.md

Example:
  causeway calls show 5f0c2d9be41a7763
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, SOURCE_OPTIONS, 1)
    const source = sourceOf(values, io)
    try {
      const call = await source.show(positionals[0]!)
      if (values.json) io.stdout.write(`${JSON.stringify(call, null, 2)}\n`)
      else io.stdout.write(formatCall(call, paintFor(io.stdout, io.env)))
    } finally {
      source.close()
    }
    return EXIT.done
  },
}
