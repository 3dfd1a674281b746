import type { CallRecord } from '../../calls/index.ts'
import type { CallMessages } from '../../capture/index.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import { callIdIn } from '../call-id.ts'
import { type Client, connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { formatCall } from '../ladder.ts'
import { bodyLines } from '../messages.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway calls show`. */
export const verb: Verb = {
  name: 'calls show',
  summary: 'one call with the ladder of its messages',
  usage: `Usage: causeway calls show ID [--bodies] [-c FILE | --url URL] [--json]

Shows who called whom, how long it took to ring and to answer, how the call ended and who should act
on it, and every SIP message between WhatsApp, Causeway and the PBX with its time. ID is that of
calls list, or WhatsApp's (wacid.…).

With trace.messages: calls the ladder holds every message, retransmissions too, and says what its SDP
offers; --bodies adds the messages in full, without keys and credentials.

Options:
      --bodies        every message in full
${INSTANCE_USAGE}
      --json          the call as in docs/reference/http.md

Example:
  causeway calls show 5f0c2d9be41a7763
`,

  async run(args, io) {
    const options = { ...INSTANCE_OPTIONS, bodies: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseVerbArgs(args, options, 1)
    const client = connect(values, io)
    const id = await callIdIn(positionals[0]!, client)
    const path = `/api/v1/calls/${encodeURIComponent(id)}`
    const call = await client.get<CallRecord>(path)
    const wanted = values.bodies || !values.json
    const messages = wanted ? await messagesOf(client, path, values.bodies) : undefined
    if (values.json) {
      io.stdout.write(
        `${JSON.stringify(values.bodies ? { ...call, ...messages } : call, null, 2)}\n`,
      )
      return EXIT.done
    }
    const paint = paintFor(io.stdout, io.env)
    io.stdout.write(formatCall(call, paint, messages))
    if (values.bodies && messages) io.stdout.write(`${bodyLines(messages, paint).join('\n')}\n`)
    return EXIT.done
  },
}

/** The messages of the call; where they are not asked for, none is no error. */
async function messagesOf(
  client: Client,
  path: string,
  asked: boolean,
): Promise<CallMessages | undefined> {
  try {
    return await client.get<CallMessages>(`${path}/messages`)
  } catch (error) {
    if (asked || !isCausewayError(error)) throw error
    return undefined
  }
}
