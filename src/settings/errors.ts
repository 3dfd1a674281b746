import { CausewayError, catalogue, type ErrorCode } from '../shared/errors/index.ts'
import { redactText } from '../shared/redact.ts'
import { integerOf, isObject, objectsOf, textOf } from './wire.ts'

const MAX_TEXT = 600
/** Graph codes that ask to slow down, whatever the HTTP status. */
const THROTTLING = new Set([4, 613, 80007, 130429])

/** What an HTTP answer of the Graph API consists of. */
export interface GraphAnswer {
  status: number
  /** The whole body as text. */
  text: string
  /** Milliseconds to wait, from Retry-After; undefined when absent or unreadable. */
  retryAfter: number | undefined
}

/** An error the Graph API answered with. */
export class GraphError extends CausewayError {
  readonly httpStatus: number
  /** `error.code` of the envelope. */
  readonly graphCode: number | undefined
  /** Milliseconds the API asked to wait. */
  readonly retryAfter: number | undefined
  /** Whether repeating the request inside the same attempt makes sense: throttling and 5xx. */
  readonly transient: boolean
  /** Whether it asks to slow down. */
  readonly throttling: boolean

  constructor(answer: GraphAnswer, place: string) {
    const envelope = readEnvelope(answer.text)
    const code = errorCodeFor(answer.status, envelope)
    super(code, { place, detail: describe(answer.status, envelope) })
    this.httpStatus = answer.status
    this.graphCode = envelope?.code
    this.retryAfter = answer.retryAfter
    this.throttling = answer.status === 429 || THROTTLING.has(envelope?.code ?? -1)
    this.transient = answer.status >= 500 || this.throttling
  }
}

interface Envelope {
  code: number | undefined
  subcode: number | undefined
  message: string
  details: string | undefined
  trace: string | undefined
}

/**
 * Reads the error envelope: Graph's `error`, or the `meta` and `errors` shapes 360dialog's own
 * gateway answers with before Meta is asked.
 */
function readEnvelope(text: string): Envelope | undefined {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(body)) return undefined
  const error = isObject(body['error']) ? body['error'] : {}
  const meta = isObject(body['meta']) ? body['meta'] : {}
  const [first = {}] = objectsOf(body['errors'])
  const data = isObject(error['error_data']) ? error['error_data'] : {}
  return {
    code: integerOf(error['code']),
    subcode: integerOf(error['error_subcode']),
    message:
      textOf(error['message']) ??
      textOf(meta['developer_message']) ??
      textOf(first['details']) ??
      textOf(first['title']) ??
      '',
    details: textOf(data['details']) ?? textOf(error['error_user_msg']),
    trace: textOf(error['fbtrace_id']),
  }
}

function errorCodeFor(status: number, envelope: Envelope | undefined): ErrorCode {
  const graph = envelope?.code
  if (graph === 100 && envelope?.subcode === 33) return 'SETTINGS_GRAPH_100_33'
  // 200 to 299 are all permissions; one row stands for them.
  if (graph !== undefined && graph >= 200 && graph <= 299) return 'SETTINGS_GRAPH_200'
  const code = `SETTINGS_GRAPH_${graph}`
  if (isErrorCode(code)) return code
  if (status === 429) return 'SETTINGS_GRAPH_THROTTLED'
  if (status >= 500) return 'SETTINGS_GRAPH_SERVER'
  if (graph === undefined && status === 401) return 'SETTINGS_GRAPH_190'
  if (graph === undefined && status === 403) return 'SETTINGS_GRAPH_200'
  if (!envelope || (graph === undefined && status < 400)) return 'SETTINGS_MALFORMED_RESPONSE'
  return 'SETTINGS_GRAPH_UNKNOWN'
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(catalogue, code)
}

function describe(status: number, envelope: Envelope | undefined): string {
  if (!envelope) return `HTTP ${status}, not JSON`
  const texts = [envelope.message]
  if (envelope.details && !envelope.message.includes(envelope.details)) texts.push(envelope.details)
  const facts = [`HTTP ${status}`]
  if (envelope.code !== undefined) facts.push(`code ${envelope.code}`)
  if (envelope.subcode !== undefined) facts.push(`subcode ${envelope.subcode}`)
  if (envelope.trace) facts.push(`fbtrace_id ${envelope.trace}`)
  const text = redactText(texts.filter(Boolean).join(': ')).slice(0, MAX_TEXT)
  return text ? `${text} (${facts.join(', ')})` : facts.join(', ')
}

/** Wraps what kept a request from being answered: name, connection, certificate, time. */
export function transportError(error: unknown, place: string): CausewayError {
  const reason = systemCode(error)
  const detail = reason ?? (error instanceof Error ? redactText(error.message) : String(error))
  if (reason === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
    return new CausewayError('SETTINGS_MALFORMED_RESPONSE', { place, detail: 'too large' })
  }
  const code: ErrorCode = /CERT|SELF_SIGNED|UNABLE_TO|_TLS_|_SSL_/.test(reason ?? '')
    ? 'SETTINGS_TLS'
    : /TIMEOUT|ETIMEDOUT/.test(reason ?? '')
      ? 'SETTINGS_TIMEOUT'
      : 'SETTINGS_UNREACHABLE'
  return new CausewayError(code, { place, detail, cause: error })
}

/** The innermost system code: fetch hides it in `cause`, several addresses in `errors`. */
function systemCode(error: unknown): string | undefined {
  let code: string | undefined
  let current: unknown = error
  for (let depth = 0; depth < 5 && current instanceof Error; depth++) {
    const { code: own } = current as NodeJS.ErrnoException
    if (typeof own === 'string') code = own
    current = current.cause ?? (current instanceof AggregateError ? current.errors[0] : undefined)
  }
  return code
}
