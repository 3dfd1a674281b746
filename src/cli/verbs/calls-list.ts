import type { CallRecord } from '../../calls/index.ts'
import { connect, INSTANCE_OPTIONS, INSTANCE_USAGE } from '../client.ts'
import { duration } from '../ladder.ts'
import { type Paint, paintFor } from '../style.ts'
import { formatTable } from '../table.ts'
import { EXIT, parseVerbArgs, UsageError, type Verb } from '../verb.ts'

/** `GET /api/v1/calls`: records without their ladders. */
export interface CallList {
  /** Calls that match, those beyond the limit included. */
  total: number
  calls: Omit<CallRecord, 'ladder' | 'ladderDropped'>[]
}

const FILTERS = ['state', 'direction', 'number', 'trunk', 'wacid', 'limit', 'offset'] as const

/** `causeway calls list`. */
export const verb: Verb = {
  name: 'calls list',
  summary: 'calls of a running instance, in progress and ended',
  usage: `Usage: causeway calls list [filters] [-c FILE | --url URL] [--json]

Lists the calls in progress, then those that have ended, newest first. The instance remembers the last
1000 that ended.

Filters:
      --state S       active or ended
      --direction D   user-initiated or business-initiated
      --number NAME   name of a number of the configuration
      --trunk NAME    name of a trunk
      --wacid ID      WhatsApp's ID of a call
      --limit N       how many, 1 to 1000 (default: 20)
      --offset N      how many to skip first

Options:
${INSTANCE_USAGE}
      --json          { total, calls }, calls as in docs/reference/http.md

Examples:
  causeway calls list --state active
  causeway calls list --number support --limit 100 --json
`,

  async run(args, io) {
    const { values } = parseVerbArgs(args, {
      ...INSTANCE_OPTIONS,
      state: { type: 'string' },
      direction: { type: 'string' },
      number: { type: 'string' },
      trunk: { type: 'string' },
      wacid: { type: 'string' },
      limit: { type: 'string', default: '20' },
      offset: { type: 'string' },
    })
    oneOf('--state', values.state, ['active', 'ended'])
    oneOf('--direction', values.direction, ['user-initiated', 'business-initiated'])
    whole('--limit', values.limit, 1, 1000)
    whole('--offset', values.offset, 0)
    const query = new URLSearchParams()
    for (const name of FILTERS) {
      const value = values[name]
      if (value !== undefined) query.set(name, value)
    }
    const list = await connect(values, io).get<CallList>(`/api/v1/calls?${query}`)
    if (values.json) io.stdout.write(`${JSON.stringify(list, null, 2)}\n`)
    else io.stdout.write(`${format(list, paintFor(io.stdout, io.env)).join('\n')}\n`)
    return EXIT.done
  },
}

function oneOf(option: string, value: string | undefined, known: readonly string[]): void {
  if (value === undefined || known.includes(value)) return
  throw new UsageError(`${option} ${value}: expected ${known.join(' or ')}`)
}

function whole(option: string, value: string | undefined, least: number, most?: number): void {
  if (value === undefined) return
  const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN
  if (number >= least && number <= (most ?? number)) return
  const expected = most === undefined ? `a number from ${least}` : `a number, ${least} to ${most}`
  throw new UsageError(`${option} ${value}: expected ${expected}`)
}

function format({ total, calls }: CallList, paint: Paint): string[] {
  if (total === 0) return ['no calls']
  if (calls.length === 0) return [`no calls here; ${total} before the offset`]
  const header = ['ID', 'STARTED', 'FROM', 'TO', 'TRUNK', 'TALK', 'STATE']
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
  const left = total - calls.length
  return left > 0 ? [...lines, paint('dim', `${left} more; see --limit and --offset`)] : lines
}

function talk({ answeredAt, talkSeconds }: CallList['calls'][number]): string {
  return answeredAt === undefined ? '-' : duration(talkSeconds * 1000).replace(/^0 ms$/, '0 s')
}

function stateOf({ state, cause }: CallList['calls'][number]): string {
  if (!cause) return state
  return cause.code === 'NORMAL' ? cause.result : `${cause.result} ${cause.code}`
}
