import type { CallRecord } from '../../calls/index.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { type Client, connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { formatCall } from '../ladder.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'
import type { CallList } from './calls-list.ts'

/** `causeway calls show`. */
export const verb: Verb = {
  name: 'calls show',
  summary: 'one call with the ladder of its messages',
  usage: `Usage: causeway calls show ID [-c FILE | --url URL] [--json]

Shows who called whom, how long it took to ring and to answer, how the call ended and who should act
on it, and every SIP message between WhatsApp, Causeway and the PBX with its time. ID is that of
calls list, or WhatsApp's (wacid.…).

Options:
${INSTANCE_USAGE}
      --json          the call as in docs/reference/http.md

Example:
  causeway calls show 5f0c2d9be41a7763
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, INSTANCE_OPTIONS, 1)
    const client = connect(values, io)
    const id = await idOf(positionals[0]!, client)
    const call = await client.get<CallRecord>(`/api/v1/calls/${encodeURIComponent(id)}`)
    if (values.json) io.stdout.write(`${JSON.stringify(call, null, 2)}\n`)
    else io.stdout.write(formatCall(call, paintFor(io.stdout, io.env)))
    return EXIT.done
  },
}

/** Causeway's ID of a call named by its own or by WhatsApp's. */
async function idOf(name: string, client: Client): Promise<string> {
  if (!name.startsWith('wacid.')) return name
  const query = new URLSearchParams({ wacid: name, limit: '1' })
  const { calls } = await client.get<CallList>(`/api/v1/calls?${query}`)
  const [call] = calls
  if (!call) throw new CausewayError('APP_CALL_UNKNOWN', { place: name })
  return call.id
}
