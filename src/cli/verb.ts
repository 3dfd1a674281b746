import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { nearest } from '../shared/nearest.ts'
import type { Io } from './io.ts'

/** Exit codes of every verb. */
export const EXIT = {
  /** Done. */
  done: 0,
  /** Failed. */
  failed: 1,
  /** Done, but there is drift or there are warnings. */
  attention: 2,
  /** The command line is wrong. */
  usage: 64,
  /** The configuration is wrong. */
  config: 78,
} as const

/** One thing `causeway` can do. A name may be two words: `config check`. */
export interface Verb {
  name: string
  /** One line for the list of verbs. */
  summary: string
  /** The help page: usage line, options, examples. */
  usage: string
  /** @returns the exit code */
  run(args: readonly string[], io: Io): Promise<number>
}

/** The command line is wrong; ends with exit code 64 and a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

const COMMON = {
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const satisfies ParseArgsOptionsConfig

/**
 * A verb's arguments through `node:util` parseArgs, `--json` and `--help` included.
 *
 * @param positionals how many words besides options are taken: a number, or `{ min, max }`
 * @throws {UsageError} naming the wrong option and the one that was probably meant
 */
export function parseVerbArgs<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
  positionals: number | { min: number; max: number } = 0,
) {
  const known = { ...COMMON, ...options }
  try {
    const result = parseArgs({ args: [...args], options: known, allowPositionals: true })
    const { min, max } =
      typeof positionals === 'number' ? { min: positionals, max: positionals } : positionals
    const given = result.positionals.length
    if (given > max) throw new UsageError(`unexpected argument: ${result.positionals[max]}`)
    if (given < min) {
      const missing = min - given
      throw new UsageError(
        missing === 1 ? 'an argument is missing' : `${missing} arguments are missing`,
      )
    }
    return result
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (!code?.startsWith('ERR_PARSE_ARGS_')) throw error
    const option = /'(--?[\w-]+)/.exec(message)?.[1]
    if (code !== 'ERR_PARSE_ARGS_UNKNOWN_OPTION' || !option)
      throw new UsageError(firstSentence(message))
    const close = nearest(option.replace(/^-+/, ''), Object.keys(known))
    throw new UsageError(`unknown option ${option}${close ? `; did you mean --${close}?` : ''}`)
  }
}

function firstSentence(message: string): string {
  return message.split('. ')[0]!.split('\n')[0]!
}
