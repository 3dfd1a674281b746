import type { CallMessages } from '../../capture/index.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import { SOURCE_OPTIONS, SOURCE_USAGE, sourceOf } from '../calls/source.ts'
import { type Client, connect } from '../client.ts'
import { formatCall } from '../ladder.ts'
import { bodyLines } from '../messages.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `causeway calls show`. */
export const verb: Verb = {
  name: 'calls show',
  summary: 'one call with the ladder of its messages',
  usage: `Usage: causeway calls show ID [--bodies] [-c FILE [--offline] | --url URL]
                              [--json]

Shows who called whom, how long it took to ring and to answer, how the call
ended and who should act on it, and every SIP message between WhatsApp, Causeway
and the PBX with its time. ID is that of calls list, or WhatsApp's (wacid.…).

With trace.messages: calls the ladder holds every message, retransmissions too,
and says what its SDP offers; --bodies adds the messages in full, without keys
and credentials.

Options:
      --bodies        every message in full, from a running instance
${SOURCE_USAGE}
      --json          the call as in docs/reference/records.md

Example:
  causeway calls show 5f0c2d9be41a7763
`,

  async run(args, io) {
    const options = { ...SOURCE_OPTIONS, bodies: { type: 'boolean', default: false } } as const
    const { values, positionals } = parseVerbArgs(args, options, 1)
    const { bodies, json, offline } = values
    if (bodies && offline) throw new UsageError('--bodies needs the instance: no file holds them')
    const source = sourceOf(values, io)
    try {
      const call = await source.show(positionals[0]!)
      const wanted = !offline && (bodies || !json)
      const messages = wanted ? await messagesOf(connect(values, io), call.id, bodies) : undefined
      const paint = paintFor(io.stdout, io.env)
      if (json) {
        io.stdout.write(`${JSON.stringify(bodies ? { ...call, ...messages } : call, null, 2)}\n`)
      } else {
        io.stdout.write(formatCall(call, paint, messages))
        if (bodies && messages) io.stdout.write(`${bodyLines(messages, paint).join('\n')}\n`)
      }
    } finally {
      source.close()
    }
    return EXIT.done
  },
}

/** The messages of the call; where they are not asked for, none is no error. */
async function messagesOf(
  client: Client,
  id: string,
  asked: boolean,
): Promise<CallMessages | undefined> {
  try {
    return await client.get<CallMessages>(`/api/v1/calls/${encodeURIComponent(id)}/messages`)
  } catch (error) {
    if (asked || !isCausewayError(error)) throw error
    return undefined
  }
}
