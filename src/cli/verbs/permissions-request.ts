import type { Config, NumberConfig } from '../../config/types.ts'
import { messageOf, type RequestMessage, TEXT_LIMIT } from '../../permissions/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE, loadAndWarn } from '../load.ts'
import { readPair, withPermissions } from '../permissions.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `causeway permissions request`. */
export const verb: Verb = {
  name: 'permissions request',
  summary: 'ask a consumer for permission to call, by message',
  usage: `Usage: causeway permissions request NUMBER CONSUMER
                [--template NAME --language CODE | --text TEXT]
                [-c FILE] [--json]

Sends a consumer the message that asks for call permission. A consumer may be
asked once in 24 hours and twice in 7 days, until a call connects; WhatsApp
refuses more. The answer reaches a running instance by webhook, and shows in
permissions show.

A free-form message reaches a consumer within 24 hours of their last message or
call; a template, made with a call permission request and without variables, at
any time. Without options the message is that of the first trunk whose calls
leave from the number, else free-form in WhatsApp's own words.

Options:
${CONFIG_USAGE}
      --template NAME   message template
      --language CODE   language of the template, such as en or en_GB
      --text TEXT       text of a free-form message
      --json          { ok, number, consumer, message, message_id }

Exit codes: 0 sent, 1 not sent; the error says why.

Examples:
  causeway permissions request support +33199001234 \\
    --text "May we call you about your order?"
  causeway permissions request support +33199001234 \\
    --template call_permission --language en
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(
      args,
      {
        ...CONFIG_OPTION,
        template: { type: 'string' },
        language: { type: 'string' },
        text: { type: 'string' },
      },
      2,
    )
    const given = readMessage(values)
    const config = loadAndWarn(values.config, io)
    const { number, consumer } = readPair(config, positionals)
    const message = given ?? configured(config, number)
    const id = await withPermissions(config, io, (client) =>
      client.request(number, consumer, message),
    )
    if (values.json) {
      const result = { ok: true, number: number.name, consumer, message, message_id: id ?? null }
      io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
      return EXIT.done
    }
    const paint = paintFor(io.stdout, io.env)
    io.stdout.write(`${paint('green', '✓')} ${number.name} ${number.phoneNumber} has asked ${consumer}: ${describe(message)}
See the answer: causeway permissions show ${number.name} ${consumer}
`)
    return EXIT.done
  },
}

interface MessageOptions {
  template?: string | undefined
  language?: string | undefined
  text?: string | undefined
}

/** The message the options describe; undefined without any. */
function readMessage({ template, language, text }: MessageOptions): RequestMessage | undefined {
  if (template !== undefined && text !== undefined) {
    throw new UsageError('--template brings its own text: leave --text away')
  }
  if ((template === undefined) !== (language === undefined)) {
    throw new UsageError('--template and --language belong together')
  }
  if (template !== undefined && language !== undefined) return { template, language }
  if (text === undefined) return undefined
  if (text.trim() === '') throw new UsageError('--text: the text is empty')
  if (text.length > TEXT_LIMIT) {
    throw new UsageError(`--text: ${text.length} characters, WhatsApp takes ${TEXT_LIMIT}`)
  }
  return { text }
}

/** The message a trunk of this number sends. */
function configured({ trunks }: Config, number: NumberConfig): RequestMessage {
  const trunk = trunks.find(
    ({ outbound, permissions }) =>
      outbound.number === number.name && permissions.mode === 'request',
  )
  return trunk ? messageOf(trunk.permissions) : { text: undefined }
}

function describe(message: RequestMessage): string {
  if ('template' in message) return `template ${message.template}, ${message.language}`
  return message.text === undefined ? 'free-form message' : `“${message.text}”`
}
