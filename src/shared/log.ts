import { createHash } from 'node:crypto'
import { type DestinationStream, type LogFn, type Logger, pino, stdTimeFunctions } from 'pino'
import { isCausewayError } from './errors/index.ts'
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
  const style = { masked: options.numbers === 'masked' }
  const number = (value: unknown): unknown => (style.masked ? maskNumber(value) : value)
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    hooks: { logMethod: nameless },
    serializers: {
      err: (value: unknown) =>
        style.masked ? maskError(serializeError(value)) : serializeError(value),
      sip: (value: unknown) => redactText(String(value)),
      party: number,
      from: number,
      to: number,
      detail: number,
      text: number,
      wacid: (value: unknown) => (style.masked ? maskWacid(value) : value),
      callId: (value: unknown) => (style.masked ? maskNumber(maskWacid(value)) : value),
    },
  }
  const log = options.destination ? pino(settings, options.destination) : pino(settings)
  styles.set(log, style)
  return log
}

/** How each logger of {@link createLogger} writes numbers; its children share it. */
const styles = new WeakMap<Logger, { masked: boolean }>()

/** Changes a logger of {@link createLogger} under way. The level of its children stays as it is. */
export function adjustLogger(log: Logger, to: Pick<LogOptions, 'level' | 'numbers'>): void {
  log.level = to.level
  const style = styles.get(log)
  if (style) style.masked = to.numbers === 'masked'
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

/** An error logged alone: pino would take its message, unredacted, for the line's. */
function nameless(this: Logger, args: Parameters<LogFn>, method: LogFn): void {
  const [first, message] = args as unknown[]
  const alone = message === undefined && typeof first === 'object' && first !== null
  if (alone && 'err' in first) method.call(this, first, 'error')
  else if (first instanceof Error) method.call(this, { err: first }, String(message ?? 'error'))
  else method.apply(this, args)
}

/** Replaces a WACID by a short hash: its base64 text holds both phone numbers. */
export function maskWacid(value: unknown): unknown {
  if (typeof value !== 'string') return value
  return value.replace(
    /wacid\.\S+/g,
    (wacid) => `wacid#${createHash('sha256').update(wacid).digest('hex').slice(0, 12)}`,
  )
}

/** Masks the numbers in every text of a serialized error. */
function maskError(value: unknown): unknown {
  if (typeof value === 'string') return maskNumber(maskWacid(value))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, maskError(item)]))
}

/** @param traced whether the place in the code is of use; what lies below a known condition needs none */
function serializeError(error: unknown, traced = true): unknown {
  if (!(error instanceof Error)) return error
  const { code, detail, place } = error as Error & Record<string, unknown>
  const known = isCausewayError(error)
  // A condition somebody else can mend needs the remedy; a fault of ours the place in the code.
  const ours = traced && (!known || error.owner === 'causeway')
  return {
    code,
    message: redactText(error.message),
    detail,
    place,
    ...(known ? { fix: error.fix } : {}),
    ...(ours ? { stack: redactText(error.stack ?? '') } : {}),
    cause: error.cause instanceof Error ? serializeError(error.cause, ours) : undefined,
  }
}
