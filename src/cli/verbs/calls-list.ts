import { FILTER_OPTIONS, FILTER_USAGE, filterOf, oneOf, whole } from '../calls/filters.ts'
import { type CallList, SOURCE_OPTIONS, SOURCE_USAGE, sourceOf } from '../calls/source.ts'
import { duration } from '../ladder.ts'
import { type Paint, paintFor } from '../style.ts'
import { formatTable } from '../table.ts'
import { EXIT, parseVerbArgs, type Verb } from '../verb.ts'

/** `causeway calls list`. */
export const verb: Verb = {
  name: 'calls list',
  summary: 'calls in progress and ended ones',
  usage: `Usage: causeway calls list [filters] [-c FILE [--offline] | --url URL] [--json]

Lists the calls in progress, then those that have ended, newest first, as far
back as records.keep.

Filters:
      --state S       active or ended
${FILTER_USAGE}
      --limit N       how many, 1 to 1000 (default: 20)
      --offset N      how many to skip first

Options:
${SOURCE_USAGE}
      --json          { total, total_exact, calls, next }, calls as in
                      docs/reference/records.md

Examples:
  causeway calls list --state active
  causeway calls list --since 2h --result failed
  causeway calls list --consumer +33199001234 --limit 100 --json
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, {
      ...SOURCE_OPTIONS,
      ...FILTER_OPTIONS,
      state: { type: 'string' },
      limit: { type: 'string', default: '20' },
      offset: { type: 'string' },
    })
    oneOf('--state', values.state, ['active', 'ended'])
    whole('--limit', values.limit, 1, 1000)
    whole('--offset', values.offset, 0)
    const filter = filterOf(values)
    const source = sourceOf(values, io)
    try {
      const { state } = values
      const [limit, offset] = [Number(values.limit), Number(values.offset ?? 0)]
      const list = await source.list({ filter, state, limit, offset })
      if (values.json) io.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
      else io.stdout.write(`${format(list, offset, paintFor(io.stdout, io.env)).join('\n')}\n`)
    } finally {
      source.close()
    }
    return EXIT.done
  },
}

function format({ total, total_exact, calls }: CallList, offset: number, paint: Paint): string[] {
  if (total === 0) return ['no calls']
  if (calls.length === 0) return [`no calls here; ${total} before the offset`]
  const header = ['ID', 'STARTED (UTC)', 'FROM', 'TO', 'TRUNK', 'TALK', 'STATE']
  const rows = calls.map((call) => {
    const { id, direction, business, consumer, trunk } = call
    const pair = direction === 'user-initiated' ? [consumer, business] : [business, consumer]
    const started = new Date(call.startedAt).toISOString().slice(0, 19).replace('T', ' ')
    return [id, started, ...pair, trunk, talk(call), stateOf(call)] as string[]
  })
  const lines = formatTable(header, rows, {
    right: [5],
    cell(text, column, row) {
      if (row < 0) return paint('bold', text)
      const call = calls[row]
      if (column !== 6 || !call) return text
      if (!call.cause) return paint('cyan', text)
      return paint(call.cause.result === 'completed' ? 'green' : 'yellow', text)
    },
  })
  const left = total - offset - calls.length
  const more = total_exact ? `${left}` : `at least ${left}`
  return left > 0 ? [...lines, paint('dim', `${more} more; see --limit and --offset`)] : lines
}

function talk({ answeredAt, talkSeconds }: CallList['calls'][number]): string {
  return answeredAt === undefined ? '-' : duration(talkSeconds * 1000).replace(/^0 ms$/, '0 s')
}

function stateOf({ state, cause }: CallList['calls'][number]): string {
  if (!cause) return state
  return cause.code === 'NORMAL' ? cause.result : `${cause.result} ${cause.code}`
}
