import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CausewayError } from '../../shared/errors/index.ts'
import { callIdIn } from '../call-id.ts'
import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway calls pcap`. */
export const verb: Verb = {
  name: 'calls pcap',
  summary: 'the SIP messages of one call as a capture file',
  usage: `Usage: causeway calls pcap ID [-o FILE] [-c FILE | --url URL] [--json]

Writes the SIP messages of both legs of a call to a file that Wireshark, tshark
and sngrep read. Keys and credentials have been removed. Messages that came by
TCP or TLS stand in UDP packets too, so that the SIP in them can be read. Needs
trace.messages: calls. ID is that of calls list, or WhatsApp's (wacid.…).

Options:
  -o, --output FILE   where to write it (default: ID.pcap)
${INSTANCE_USAGE}
      --json          what was written, as JSON

Example:
  causeway calls pcap 5f0c2d9be41a7763 -o call.pcap
`,

  async run(args, io) {
    const options = { ...INSTANCE_OPTIONS, output: { type: 'string', short: 'o' } } as const
    const { values, positionals } = parseVerbArgs(args, options, 1)
    const client = connect(values, io)
    const id = await callIdIn(positionals[0]!, client)
    const bytes = await client.download(`/api/v1/calls/${encodeURIComponent(id)}/pcap`)
    const file = resolve(io.cwd, values.output ?? `${id}.pcap`)
    try {
      writeFileSync(file, bytes)
    } catch (cause) {
      const { message } = cause as Error
      throw new CausewayError('APP_FILE_UNWRITABLE', { place: file, detail: message, cause })
    }
    const written = { id, file, bytes: bytes.length }
    if (values.json) io.stdout.write(`${JSON.stringify(written)}\n`)
    else io.stdout.write(`${file}: ${bytes.length} octets\n`)
    return EXIT.done
  },
}
