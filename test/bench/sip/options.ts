import { parseArgs } from 'node:util'

/** What is measured, and how long. */
export interface BenchOptions {
  /** Names of rows, in the order they are run. */
  peers: string[]
  /** Calls a second, rising. */
  rates: number[]
  /** Length of each step in seconds. */
  seconds: number
  /** How often a step is tried before it counts as not reached. */
  tries: number
  /** Calls held at once when memory is read. */
  held: number[]
  /** Seconds from the last new call to the reading. */
  settle: number
  /** File the figures are written to. */
  json: string
}

export const HELP = `npm run bench -- sip [options]

  --peers a,b      rows to measure: causeway, causeway-business, asterisk, kamailio (all of them)
  --rates 100,200  calls a second, rising
  --seconds 10     length of each step
  --tries 2        how often a step is tried before it counts as not reached
  --held 100,1000  calls held at once for the memory figures; 0 leaves them out
  --settle 40      seconds from the last new call to the reading of the memory
  --json FILE      where the figures go (data/bench-sip.json)
  --quick          four rates of 4 s, 100 and 1000 held calls, settled for 10 s`

/** Reads the command line; undefined after --help. */
export function readOptions(args: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args,
    options: {
      peers: { type: 'string', default: 'causeway,causeway-business,asterisk,kamailio' },
      rates: { type: 'string' },
      seconds: { type: 'string' },
      tries: { type: 'string', default: '2' },
      held: { type: 'string' },
      settle: { type: 'string' },
      json: { type: 'string', default: 'data/bench-sip.json' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { quick } = values
  const rates = quick ? '100,200,400,800' : '100,200,300,400,600,800,1200,1600,2400,3200'
  return {
    peers: values.peers.split(','),
    rates: numbers(values.rates ?? rates),
    seconds: Number(values.seconds ?? (quick ? 4 : 10)),
    tries: Number(values.tries),
    held: numbers(values.held ?? (quick ? '100,1000' : '100,1000,5000')),
    settle: Number(values.settle ?? (quick ? 10 : 40)),
    json: values.json,
  }
}

function numbers(list: string): number[] {
  return list
    .split(',')
    .map(Number)
    .filter((value) => value > 0)
}
