import { formatConfig, redactedConfig } from '../../config/index.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load } from '../load.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway config print`: the configuration as Causeway understands it. */
export const verb: Verb = {
  name: 'config print',
  summary: 'print a configuration with its defaults, without secrets',
  usage: `Usage: causeway config print [-c FILE] [--json]

Prints the configuration as Causeway understands it: variables expanded,
defaults filled in, paths absolute. Secrets show as [redacted]. Warnings are for
config check.

Options:
${CONFIG_USAGE}
      --json          JSON instead of YAML

Exit codes: 0 done, 78 errors in the file.

Example:
  causeway config print -c causeway.yaml | less
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, CONFIG_OPTION)
    const { config } = load(values.config, io)
    if (values.json) io.stdout.write(`${JSON.stringify(redactedConfig(config), null, 2)}\n`)
    else io.stdout.write(formatConfig(config))
    return EXIT.done
  },
}
