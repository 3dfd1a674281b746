import { formatJsonSchema } from '../../config/index.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway config schema`: the JSON Schema of the file. */
export const verb: Verb = {
  name: 'config schema',
  summary: 'print the JSON Schema of the configuration, for editors',
  usage: `Usage: causeway config schema

Prints the JSON Schema (draft 2020-12) of the configuration file. The same
schema is shipped as config/causeway.schema.json. With it an editor completes
keys and marks mistakes; put this on the first line of the file (for the YAML
language server):

  # yaml-language-server: $schema=causeway.schema.json

Options:
      --json          accepted; the output is JSON anyway

Example:
  causeway config schema > causeway.schema.json
`,

  async run(args, io) {
    parseVerbArgs(args, {})
    io.stdout.write(formatJsonSchema())
    return EXIT.done
  },
}
