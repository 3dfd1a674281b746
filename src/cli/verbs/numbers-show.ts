import type { SettingsDocument } from '../../settings/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE } from '../load.ts'
import { headLine, identity, indent, withoutValue } from '../numbers/lines.ts'
import { type NumberResult, withNumbers } from '../numbers/session.ts'
import { showLines, shownJson } from '../numbers/show.ts'
import { type Paint, paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway numbers show`: the settings as WhatsApp has them. */
export const verb: Verb = {
  name: 'numbers show',
  summary: 'print the settings of numbers as WhatsApp has them',
  usage: `Usage: causeway numbers show [NUMBER…] [-c FILE] [--json]

Reads the settings of every number of the file, or of the numbers named, from
the Graph API and prints them: calling with servers and restrictions, and what
the endpoint tells besides (payload encryption, storage, identity change), which
Causeway never writes. Of SIP passwords it says only that there is one.

Options:
${CONFIG_USAGE}
      --json          { ok, numbers }, each number with calling and groups

Exit codes: 0 done, 1 a number could not be read.

Example:
  causeway numbers show support
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, CONFIG_OPTION, { min: 0, max: 1000 })
    const { config } = values
    const options = {
      config,
      names: positionals,
      managed: false,
      verb: 'numbers show',
      writes: false,
    }
    let domain = ''
    const results = await withNumbers(options, io, (config) => {
      domain = config.sip.domain
      return (client, number) => client.readDocument(number)
    })
    if (values.json) {
      const numbers = results.map((result) => ({
        ...identity(result),
        ...(result.value ? shownJson(result.value, domain) : {}),
      }))
      const ok = results.every(({ error }) => !error)
      io.stdout.write(`${JSON.stringify({ ok, numbers }, null, 2)}\n`)
    } else {
      const paint = paintFor(io.stdout, io.env)
      const lines = results.flatMap((result) => numberLines(result, domain, paint))
      io.stdout.write(`${lines.length === 0 ? 'no numbers' : lines.join('\n')}\n`)
    }
    return results.some(({ error }) => error) ? EXIT.failed : EXIT.done
  },
}

function numberLines(
  result: NumberResult<SettingsDocument>,
  domain: string,
  paint: Paint,
): string[] {
  const { number, value } = result
  const without = withoutValue(result, paint)
  if (without || !value) return without ?? []
  const head = headLine(number, paint('dim', number.phoneNumberId), paint)
  return [head, ...indent(showLines(value, domain, paint), 2)]
}
