import { ConfigErrors } from '../config/index.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import { nearest } from '../shared/nearest.ts'
import { formatHelp } from './help.ts'
import { type Io, processIo } from './io.ts'
import { formatCounts, formatIssue } from './report.ts'
import { paintFor } from './style.ts'
import { EXIT, UsageError, type Verb } from './verb.ts'
import { verbs } from './verbs/index.ts'
import { version } from './version.ts'

/** Runs the process's own command line and sets its exit code. */
export async function start(): Promise<void> {
  const io = processIo()
  // A reader that went away (`causeway … | head`) is no reason for a stack trace.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed)
  })
  // Causeway's timers let a process end: a verb that only waits, to repeat a request say, must not.
  const alive = setInterval(() => {}, 60_000)
  process.exitCode = await main(process.argv.slice(2), io).finally(() => clearInterval(alive))
}

/**
 * Runs a command line: finds the verb, prints its help or runs it, and turns what it throws into
 * messages and an exit code.
 *
 * @param args the arguments after `causeway`
 * @returns the exit code, one of {@link EXIT}
 */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const own = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined)
  try {
    return await dispatch(args, own, io)
  } catch (error) {
    return await fail(error, own, io)
  }
}

async function dispatch(args: readonly string[], own: readonly string[], io: Io): Promise<number> {
  const [first] = args
  if (first === '--version' || first === '-V') {
    io.stdout.write(`causeway ${version()}\n`)
    return EXIT.done
  }
  if (first === undefined) {
    io.stderr.write(await formatHelp())
    return EXIT.usage
  }
  const help = own.includes('--help') || own.includes('-h')
  const words = first === 'help' ? args.slice(1) : args
  if (first === 'help' || help) {
    const named = words.filter((word) => !word.startsWith('-'))
    if (named.length === 0) io.stdout.write(await formatHelp())
    else {
      const found = await find(named)
      io.stdout.write(found ? found.verb.usage : await formatHelp(named[0]))
    }
    return EXIT.done
  }
  const found = await find(args)
  if (found) return await found.verb.run(args.slice(found.words), io)
  if (own.includes('--json')) throw new UsageError(`causeway ${first} is a group of verbs`)
  io.stderr.write(await formatHelp(first))
  return EXIT.usage
}

/** The verb the arguments start with, or undefined when they name a group of verbs only. */
async function find(args: readonly string[]): Promise<{ verb: Verb; words: number } | undefined> {
  for (const words of [2, 1]) {
    const name = args.slice(0, words).join(' ')
    const load = Object.hasOwn(verbs, name) ? verbs[name] : undefined
    if (load && args.length >= words) return { verb: (await load()).verb, words }
  }
  const known = Object.keys(verbs)
  const [first, second] = args as [string, string | undefined]
  const inGroup = known.filter((name) => name.startsWith(`${first} `))
  if (inGroup.length === 0) {
    const tops = new Set(known.map((name) => name.split(' ')[0]!))
    const top = nearest(first, tops)
    const whole = `${top ?? first} ${second}`
    const close = (known.includes(whole) ? whole : top) ?? nearest(whole, known)
    throw new UsageError(`unknown verb ${first}${close ? `; did you mean ${close}?` : ''}`)
  }
  if (second === undefined || second.startsWith('-')) return undefined
  const close = nearest(`${first} ${second}`, inGroup)
  throw new UsageError(`unknown verb ${first} ${second}${close ? `; did you mean ${close}?` : ''}`)
}

/** Prints what a verb threw; the exit code that belongs to it. */
async function fail(error: unknown, args: readonly string[], io: Io): Promise<number> {
  const paint = paintFor(io.stderr, io.env)
  const json = args.includes('--json')
  if (error instanceof UsageError) {
    if (json) {
      writeErrors(io, [new CausewayError('APP_USAGE', { detail: error.message })])
      return EXIT.usage
    }
    io.stderr.write(`causeway: ${error.message}\n${await usageOf(args)}`)
    return EXIT.usage
  }
  const config = error instanceof ConfigErrors
  if (!config && !isCausewayError(error)) {
    io.stderr.write(`${paint('red', 'error')}: ${describe(error)}\n`)
    const detail = error instanceof Error ? error.message : String(error)
    if (json) writeErrors(io, [new CausewayError('APP_INTERNAL', { detail, cause: error })])
    return EXIT.failed
  }
  const errors: readonly CausewayError[] = config ? error.errors : [error]
  if (json) writeErrors(io, errors)
  else {
    for (const one of errors) io.stderr.write(`${formatIssue(one, 'error', paint)}\n`)
    if (config) io.stderr.write(`${paint('red', formatCounts(errors.length, 0))}\n`)
  }
  return config ? EXIT.config : EXIT.failed
}

/** How the verb that was meant is called, and where its help is; that of its group, or of all, without one. */
async function usageOf(args: readonly string[]): Promise<string> {
  const [first = '', second = ''] = args
  const name = [`${first} ${second}`, first].find((words) => Object.hasOwn(verbs, words))
  if (name === undefined) {
    const group = Object.keys(verbs).some((verb) => verb.startsWith(`${first} `))
    return `  try: causeway ${group ? `${first} ` : ''}--help\n`
  }
  const { verb } = await verbs[name]!()
  const [synopsis = ''] = verb.usage.split('\n\n')
  const lines = synopsis.replace(/^Usage/, 'usage').split('\n')
  return `${lines.map((line) => `  ${line}\n`).join('')}  try: causeway ${name} --help\n`
}

function writeErrors(io: Io, errors: readonly CausewayError[]): void {
  io.stdout.write(`${JSON.stringify({ ok: false, errors }, null, 2)}\n`)
}

/** An error outside the catalogue is a fault of Causeway's own: the stack helps to report it. */
function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
