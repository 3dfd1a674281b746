import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'
import { redactText } from './redact.ts'

export type { Logger } from 'pino'

/** Levels a configuration may name. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

/** How phone numbers appear in logs: whole, or with all but the last two digits masked. */
export type NumberStyle = 'full' | 'masked'

export interface LogOptions {
  level: LogLevel
  numbers: NumberStyle
  /** Where lines go; standard output when absent. */
  destination?: DestinationStream
}

/**
 * The logger: JSON lines through pino. Redaction is by type and by content, never at the call site:
 * {@link Secret} prints as `[redacted]`, and SIP text logged under `sip` loses crypto keys and
 * credentials (design rule 5).
 */
export function createLogger(options: LogOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    serializers: {
      err: serializeError,
      sip: (value: unknown) => redactText(String(value)),
      party: (value: unknown) => (options.numbers === 'masked' ? maskNumber(value) : value),
      from: (value: unknown) => (options.numbers === 'masked' ? maskNumber(value) : value),
      to: (value: unknown) => (options.numbers === 'masked' ? maskNumber(value) : value),
    },
  }
  return options.destination ? pino(settings, options.destination) : pino(settings)
}

/** A logger that writes nothing, for tests and offline verbs. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' })
}

/** Masks every run of five or more digits but its last two. */
export function maskNumber(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value.replace(/\d{3,}(?=\d{2})/g, (digits) => '*'.repeat(digits.length))
}

function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code, detail, place } = error as Error & Record<string, unknown>
  return {
    code,
    message: redactText(error.message),
    detail,
    place,
    stack: redactText(error.stack ?? ''),
    cause: error.cause instanceof Error ? serializeError(error.cause) : undefined,
  }
}
