import { parseArgs } from 'node:util'
import { MODES, type Mode, modeOf } from './modes.ts'
import { RELAYS, type RelayName } from './relays.ts'

/** What is measured, and how long. */
export interface MediaBenchOptions {
  modes: readonly Mode[]
  /** In the order they take turns. */
  relays: readonly RelayName[]
  /** Calls at once, rising. */
  calls: readonly number[]
  /** Length of each step in seconds. */
  seconds: number
  /** How often a step is tried before it counts as not reached. */
  tries: number
  /** Calls up when memory is read. */
  held: readonly number[]
  /** Calls set up and released for the rate; 0 leaves it out. */
  setUp: number
  /** Whether relay and driver are bound to a processor each. */
  pin: boolean
  /** Whether the driver looks for packets now and then instead of being woken by each. */
  poll: boolean
  json: string
}

export const HELP = `npm run bench -- media [options]

  --modes a,b      kinds of calls: ${MODES.map(({ name }) => name).join(', ')} (all of them)
  --relays a,b     ${RELAYS.join(', ')} (embedded and rtpengine, taking turns)
  --calls 100,200  calls at once, rising
  --seconds 8      length of each step
  --tries 2        how often a step is tried before it counts as not reached
  --held 100,1000  calls that are up when memory is read; 0 leaves it out
  --set-up 1000    calls that are set up and released for the rate; 0 leaves it out
  --no-pin         relay and driver may use any processor, instead of one each
  --poll           the driver looks for packets every half millisecond instead of being woken by each
  --json FILE      where the figures go (data/bench-media.json)
  --quick          four steps of 4 s, memory with 100 and 500 calls`

/** Reads the command line; undefined after --help. Throws RangeError for what is unknown. */
export function readOptions(args: string[]): MediaBenchOptions | undefined {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      modes: { type: 'string', default: MODES.map(({ name }) => name).join(',') },
      relays: { type: 'string', default: 'embedded,rtpengine' },
      calls: { type: 'string' },
      seconds: { type: 'string' },
      tries: { type: 'string', default: '2' },
      held: { type: 'string' },
      'set-up': { type: 'string' },
      pin: { type: 'boolean', default: true },
      poll: { type: 'boolean', default: false },
      json: { type: 'string', default: 'data/bench-media.json' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return undefined
  const { quick } = values
  const calls = quick ? '100,200,400,800' : '50,100,200,400,600,800,900,1000,1200,1400'
  return {
    modes: values.modes.split(',').map(modeOf),
    relays: values.relays.split(',').map(relayOf),
    calls: numbers(values.calls ?? calls),
    seconds: Number(values.seconds ?? (quick ? 4 : 8)),
    tries: Number(values.tries),
    held: numbers(values.held ?? (quick ? '100,500' : '100,500,1000')),
    setUp: Number(values['set-up'] ?? (quick ? 300 : 1000)),
    pin: values.pin,
    poll: values.poll,
    json: values.json,
  }
}

function relayOf(name: string): RelayName {
  const known = RELAYS.find((relay) => relay === name)
  if (!known) throw new RangeError(`${name} is none of ${RELAYS.join(', ')}`)
  return known
}

function numbers(list: string): number[] {
  return list
    .split(',')
    .map(Number)
    .filter((value) => value > 0)
}
