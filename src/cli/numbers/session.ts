import type { Config, NumberConfig } from '../../config/types.ts'
import {
  createSettingsClient,
  type DesiredCalling,
  desiredCalling,
  desiredContext,
  type JournalActor,
  recordingReader,
  type SettingsReader,
} from '../../settings/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'
import { createLogger, type Logger } from '../../shared/log.ts'
import { nearest } from '../../shared/nearest.ts'
import { systemRandom } from '../../shared/random.ts'
import type { Io } from '../io.ts'
import { load } from '../load.ts'
import { printable } from '../text.ts'
import { UsageError } from '../verb.ts'
import { openJournal } from './journal.ts'

/** How a verb fared with one number. */
export interface NumberResult<T> {
  number: NumberConfig
  value?: T
  error?: CausewayError
  /** Why nothing was tried: `no access_token`. */
  skipped?: string
}

/** Which numbers, and on whose behalf. */
export interface SessionOptions<T> {
  config: string
  names: readonly string[]
  managed: boolean
  verb: string
  writes: boolean
  /** What the journal is told of an outcome; default: nothing but an error. */
  outcome?: (value: T) => { after: unknown; error: unknown }
}

/** What a verb does with a number. */
export type NumberWork<T> = (client: SettingsReader, number: NumberConfig) => Promise<T>

/**
 * Does something with the numbers named on the command line, or with all of the file, one after the
 * other, straight at the settings API: no instance need run. A number that fails is told and does
 * not keep the others from their turn.
 *
 * @param names names, phone numbers or IDs; none: every number that has a token
 * @param managed leave out numbers with `manage: off` unless they are named
 * @param verb under which the journal notes what is done
 * @param writes whether that changes settings
 * @throws ConfigErrors of the configuration, UsageError of a name that no number has
 */
export async function withNumbers<T>(
  options: SessionOptions<T>,
  io: Io,
  prepare: (config: Config) => NumberWork<T>,
): Promise<NumberResult<T>[]> {
  const { config } = load(options.config, io)
  const numbers = chosen(config.numbers, options.names)
  const { whatsapp } = config
  const work = prepare(config)
  const { journal, close } = openJournal(config.records, options.writes, io)
  const who: JournalActor = `cli ${options.verb}`
  const client = recordingReader(
    createSettingsClient({
      whatsapp,
      clock: systemClock,
      random: systemRandom,
      log: waiting(io),
    }),
    journal,
    who,
  )
  const stop = (): void => void client.close()
  io.signal.addEventListener('abort', stop, { once: true })
  const results: NumberResult<T>[] = []
  try {
    for (const number of numbers) {
      const skipped = options.names.length > 0 ? undefined : reasonToSkip(number, options.managed)
      if (skipped) results.push({ number, skipped })
      else {
        const result = await attempt(client, number, work)
        const { value, error } = result
        const outcome = value === undefined ? { error } : options.outcome?.(value)
        journal.record({ number: number.name, who, action: 'result', ...outcome })
        results.push(result)
      }
    }
  } finally {
    io.signal.removeEventListener('abort', stop)
    await client.close()
    close()
  }
  return results
}

async function attempt<T>(
  client: SettingsReader,
  number: NumberConfig,
  work: NumberWork<T>,
): Promise<NumberResult<T>> {
  try {
    return { number, value: await work(client, number) }
  } catch (error) {
    if (!isCausewayError(error)) throw error
    return { number, error }
  }
}

/** Tells on standard error why nothing happens: the client waits before it asks again. */
function waiting(io: Io): Logger {
  const write = (line: string): void => {
    const { number, code, detail, wait } = JSON.parse(line) as Record<string, unknown>
    if (typeof wait !== 'number') return
    const said = printable(`${number}: ${code} ${detail}`)
    io.stderr.write(`${said}; asking again in ${(wait / 1000).toFixed(1)} s\n`)
  }
  return createLogger({ level: 'info', numbers: 'full', destination: { write } })
}

function reasonToSkip(number: NumberConfig, managed: boolean): string | undefined {
  if (!number.accessToken) return 'no access_token'
  return managed && number.manage === 'off' ? 'manage: off' : undefined
}

function chosen(
  numbers: readonly NumberConfig[],
  names: readonly string[],
): readonly NumberConfig[] {
  if (names.length === 0) return numbers
  const found = names.map((name) => {
    const number = numbers.find((it) =>
      [it.name, it.phoneNumber, it.phoneNumber.slice(1), it.phoneNumberId].includes(name),
    )
    if (number) return number
    const known = numbers.map((it) => it.name)
    const close = nearest(name, known)
    const hint = close ? `did you mean ${close}?` : `there are ${known.join(', ') || 'none'}`
    throw new UsageError(`no number ${name}; ${hint}`)
  })
  return [...new Set(found)]
}

/**
 * The desired settings of the numbers of a file.
 *
 * @returns a function that throws SETTINGS_PORT_UNKNOWN for a number whose port only a running
 * instance would know
 */
export function desiredBy(config: Config): (number: NumberConfig) => DesiredCalling {
  const context = desiredContext(config, undefined, systemClock)
  return (number) => {
    const desired = desiredCalling(number, context)
    if (desired.sip.server?.port === 0) {
      throw new CausewayError('SETTINGS_PORT_UNKNOWN', { place: `number ${number.name}` })
    }
    return desired
  }
}
