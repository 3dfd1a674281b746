import { ConfigErrors } from '../../config/index.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { Io } from '../io.ts'
import { CONFIG_OPTION, CONFIG_USAGE, load } from '../load.ts'
import { formatCounts, formatIssue } from '../report.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway config check`: every error and warning of a file, offline. */
export const verb: Verb = {
  name: 'config check',
  summary: 'check a configuration file, offline',
  usage: `Usage: causeway config check [-c FILE] [--json]

Reads the file, expands its variables, reads its secret files and reports every
error and warning at once, each with its place, what was found, what is expected
and how to fix it. Nothing is contacted, and no secret is printed.

Options:
${CONFIG_USAGE}
      --json          one JSON object: { ok, file, errors, warnings }

Exit codes: 0 good, 2 good with warnings, 78 errors.

Example:
  causeway config check -c /etc/causeway/causeway.yaml
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, CONFIG_OPTION)
    const { errors, warnings } = check(values.config, io)
    if (values.json) {
      const result = { ok: errors.length === 0, file: values.config, errors, warnings }
      io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
    } else {
      const paint = paintFor(io.stdout, io.env)
      for (const error of errors) io.stdout.write(`${formatIssue(error, 'error', paint)}\n`)
      for (const warning of warnings) {
        io.stdout.write(`${formatIssue(warning, 'warning', paint)}\n`)
      }
      const tone = errors.length > 0 ? 'red' : warnings.length > 0 ? 'yellow' : 'green'
      const counts = formatCounts(errors.length, warnings.length)
      io.stdout.write(`${values.config}: ${paint(tone, counts)}\n`)
    }
    if (errors.length > 0) return EXIT.config
    return warnings.length > 0 ? EXIT.attention : EXIT.done
  },
}

interface Findings {
  errors: readonly CausewayError[]
  warnings: readonly CausewayError[]
}

function check(file: string, io: Io): Findings {
  try {
    return { errors: [], warnings: load(file, io).warnings }
  } catch (error) {
    if (error instanceof ConfigErrors) return error
    throw error
  }
}
