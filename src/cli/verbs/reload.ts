import type { ReloadResult } from '../../http/index.ts'
import { connect, errorOf, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import type { Io } from '../io.ts'
import { formatCounts, formatIssue } from '../report.ts'
import { paintFor } from '../style.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway reload`. */
export const verb: Verb = {
  name: 'reload',
  summary: 'make a running instance read its configuration again',
  usage: `Usage: causeway reload [-c FILE | --url URL] [--json]

The instance reads its file again, takes what can change while it runs and says
which changes wait for the next start. A file with errors changes nothing. Calls
in progress are never touched.

Options:
${INSTANCE_USAGE}
      --json          { ok, applied, restart, reasons, errors, warnings }

Exit codes: 0 everything taken, 2 some changes wait for a restart or there are
warnings, 78 errors in the file.

Example:
  causeway config check -c causeway.yaml && causeway reload -c causeway.yaml
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, INSTANCE_OPTIONS)
    const client = connect(values, io)
    const { body } = await client.send<ReloadResult>('POST', '/api/v1/reload', [422])
    if (values.json) io.stdout.write(`${JSON.stringify(body, null, 2)}\n`)
    else print(body, io)
    if (!body.ok) return EXIT.config
    const attention = body.restart.length > 0 || body.warnings.length > 0
    return attention ? EXIT.attention : EXIT.done
  },
}

function print(result: ReloadResult, io: Io): void {
  const { ok, applied, restart, reasons, errors, warnings } = result
  for (const [list, severity] of [
    [errors, 'error'],
    [warnings, 'warning'],
  ] as const) {
    const paint = paintFor(io.stderr, io.env)
    for (const json of list) {
      const issue = errorOf(json)
      const text = issue ? formatIssue(issue, severity, paint) : `${severity}: see the log\n`
      const { nearest } = (json ?? {}) as { nearest?: unknown }
      const hint = typeof nearest === 'string' ? `   = did you mean ${nearest}?\n` : ''
      io.stderr.write(`${text}${hint}\n`)
    }
  }
  const paint = paintFor(io.stdout, io.env)
  if (!ok) {
    const counts = formatCounts(errors.length, warnings.length)
    io.stdout.write(`${paint('red', `not reloaded, nothing was changed: ${counts}`)}\n`)
    return
  }
  io.stdout.write(
    `${paint('green', 'reloaded')}${applied.length + restart.length === 0 ? ', nothing had changed' : ''}\n`,
  )
  if (applied.length > 0) io.stdout.write(`  taken at once   ${applied.join(', ')}\n`)
  for (const path of restart) {
    const why = reasons[path] === undefined ? '' : `: ${reasons[path]}`
    io.stdout.write(`  ${paint('yellow', 'needs a restart')} ${path}${why}\n`)
  }
}
