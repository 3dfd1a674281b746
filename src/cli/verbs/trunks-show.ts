import type { TrunkView } from '../../http/index.ts'
import { nearest } from '../../shared/nearest.ts'
import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { registrationLines, registrationsWell } from '../registration-lines.ts'
import { type Paint, paintFor } from '../style.ts'
import { hang, printable } from '../text.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `causeway trunks show`. */
export const verb: Verb = {
  name: 'trunks show',
  summary: 'trunks, whether their targets answer, and registrations',
  usage: `Usage: causeway trunks show [NAME] [-c FILE | --url URL] [--json]

Shows every trunk, or the one named: its targets, whether each is up, since when
and why not, how many calls it carries, whether Causeway is registered with its
PBX, and where the PBX is registered here. With OPTIONS pings (trunks[].options)
a target's state is what the last pings say, else what became of the last calls.

Options:
${INSTANCE_USAGE}
      --json          { trunks }, as in docs/reference/http.md

Exit codes: 0 every target is up or was not tried yet and every registration is
up, 2 some are not.

Example:
  causeway trunks show main
`,

  async run(args, io) {
    const { values, positionals } = parseVerbArgs(args, INSTANCE_OPTIONS, { min: 0, max: 1 })
    const all = await connect(values, io).get<{ trunks: TrunkView[] }>('/api/v1/trunks')
    const trunks = chosen(all.trunks, positionals[0])
    if (values.json) io.stdout.write(`${JSON.stringify({ trunks }, null, 2)}\n`)
    else io.stdout.write(format(trunks, paintFor(io.stdout, io.env)))
    const reached = trunks.every(({ targets }) => targets.every(({ status }) => status === 'pass'))
    return reached && trunks.every(registrationsWell) ? EXIT.done : EXIT.attention
  },
}

function chosen(trunks: readonly TrunkView[], name: string | undefined): readonly TrunkView[] {
  if (name === undefined) return trunks
  const found = trunks.filter((trunk) => trunk.name === name)
  if (found.length > 0) return found
  const known = trunks.map((trunk) => trunk.name)
  const close = nearest(name, known)
  const hint = close ? `did you mean ${close}?` : `there are ${known.join(', ') || 'none'}`
  throw new UsageError(`no trunk ${name}; ${hint}`)
}

function format(trunks: readonly TrunkView[], paint: Paint): string {
  if (trunks.length === 0) return 'no trunks\n'
  const blocks = trunks.map(
    ({ name, targets, active_calls: active, limit, failovers, ...trunk }) => {
      const most = limit === null ? '' : ` of ${limit}`
      const went = failovers > 0 ? `, ${failovers} went on to another target` : ''
      const calls = `${active}${most} call${(limit ?? active) === 1 ? '' : 's'} in progress${went}`
      const width = Math.max(0, ...targets.map(({ uri }) => uri.length))
      const lines = targets.map(({ uri, status, detail }) => {
        const tone = status === 'pass' ? 'green' : status === 'warn' ? 'yellow' : 'red'
        const mark = status === 'pass' ? '✓' : status === 'warn' ? '!' : '✗'
        return `  ${paint(tone, mark)} ${uri.padEnd(width)}  ${hang(printable(detail), width + 6)}`
      })
      lines.push(...registrationLines(trunk, paint))
      const none = ['  no targets: calls to this trunk fail']
      return [`${paint('bold', name)}  ${calls}`, ...(lines.length > 0 ? lines : none)].join('\n')
    },
  )
  return `${blocks.join('\n')}\n`
}
