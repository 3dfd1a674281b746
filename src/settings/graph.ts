import { fetch as undiciFetch } from 'undici'
import type { NumberConfig, WhatsAppConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { parseJson } from '../shared/json.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { authorization, place } from './dialect.ts'
import { type GraphAnswer, GraphError, transportError } from './errors.ts'
import { type GraphMeter, operationOf, outcomeOfError } from './graph-meter.ts'
import { backoffDelay, pause, retryAfterOf } from './retry.ts'
import { createAgent } from './trust.ts'
import { isObject } from './wire.ts'

/** The part of `fetch` the client uses. */
export type Fetch = (
  url: string,
  init: {
    method: 'GET' | 'POST'
    headers: Record<string, string>
    body?: string
    signal: AbortSignal
    redirect: 'manual'
  },
) => Promise<{
  status: number
  headers: { get(name: string): string | null }
  text(): Promise<string>
}>

export interface GraphOptions {
  whatsapp: WhatsAppConfig
  clock: Clock
  random: Random
  log: Logger
  /** Replaces the HTTP client, for tests. */
  fetch?: Fetch
  /** Milliseconds for one request with its answer; default 10 s. */
  timeout?: number
  /** Tries of one request when throttled or answered 5xx; default 4. */
  attempts?: number
  /** Counts the attempts. */
  meter?: GraphMeter
}

/** Requests to the Graph API, for every number of one configuration. */
export interface Graph {
  /**
   * Sends one request: POST with a body, else GET. Repeats what `again` says, by default what was
   * throttled or failed on the server. Rejects with CausewayError.
   *
   * @returns the JSON of a successful answer
   */
  request(
    url: URL,
    number: NumberConfig,
    body?: string,
    again?: (error: GraphError) => boolean,
  ): Promise<unknown>
  /** Aborts what is under way and closes the connections. */
  close(): Promise<void>
}

const BACKOFF = { base: 500, max: 8000 }
/** A longer Retry-After is left to the caller instead of holding the attempt open. */
const LONGEST_WAIT = 60_000

/**
 * Gives every request a time limit and repeats only what was throttled (codes 4, 613, 80007, 130429,
 * HTTP 429) or failed on the server (5xx).
 *
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createGraph(options: GraphOptions): Graph {
  const { whatsapp, clock, random, log, meter } = options
  const timeout = options.timeout ?? 10_000
  const attempts = options.attempts ?? 4
  const agent = options.fetch ? undefined : createAgent(whatsapp.ca)
  const send: Fetch =
    options.fetch ??
    ((url, init) => undiciFetch(url, agent ? { ...init, dispatcher: agent } : init))
  const closing = new AbortController()

  async function once(url: URL, number: NumberConfig, body: string | undefined) {
    const headers = {
      ...authorization(whatsapp, number),
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const limit = new AbortController()
    const timer = clock.setTimeout(() => limit.abort(), timeout)
    try {
      const response = await send(url.href, {
        method: body === undefined ? 'GET' : 'POST',
        headers,
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([limit.signal, closing.signal]),
        // A redirect would carry the token elsewhere.
        redirect: 'manual',
      })
      const retryAfter = retryAfterOf(response.headers.get('retry-after'), clock)
      return { status: response.status, text: await response.text(), retryAfter }
    } catch (error) {
      if (limit.signal.aborted) {
        const detail = `no answer within ${timeout} ms`
        throw new CausewayError('SETTINGS_TIMEOUT', { detail, place: place(number) })
      }
      throw transportError(error, place(number))
    } finally {
      timer.clear()
    }
  }

  /** One attempt: the JSON of a successful answer, else the error to be thrown. */
  async function attempt(url: URL, number: NumberConfig, body: string | undefined) {
    const answer: GraphAnswer = await once(url, number, body)
    const parsed = answer.status < 300 ? parseJson(answer.text) : undefined
    // Graph has answered 200 with an error envelope: that is an error, too.
    if (parsed !== undefined && !(isObject(parsed) && isObject(parsed['error']))) return parsed
    return new GraphError(answer, place(number))
  }

  /** {@link attempt}, counted. */
  async function metered(url: URL, number: NumberConfig, body: string | undefined) {
    const began = clock.monotonic()
    const operation = operationOf(url, body !== undefined)
    try {
      const result = await attempt(url, number, body)
      const outcome = result instanceof GraphError ? outcomeOfError(result) : 'ok'
      meter?.attempt(operation, outcome, clock.monotonic() - began)
      return result
    } catch (error) {
      meter?.attempt(operation, outcomeOfError(error), clock.monotonic() - began)
      throw error
    }
  }

  return {
    async request(url, number, body, again = (error) => error.transient) {
      for (let failures = 1; ; failures++) {
        const error = await metered(url, number, body)
        if (!(error instanceof GraphError)) return error
        const wait = Math.max(backoffDelay(BACKOFF, failures, random), error.retryAfter ?? 0)
        if (!again(error) || failures >= attempts || wait > LONGEST_WAIT) throw error
        const { code, detail } = error
        log.info({ number: number.name, code, detail, wait }, 'graph retry')
        meter?.waits(operationOf(url, body !== undefined), wait)
        await pause(clock, wait, closing.signal).catch((cause) => {
          throw transportError(cause, place(number))
        })
      }
    },
    async close() {
      closing.abort(new Error('closed'))
      await agent?.destroy()
    },
  }
}
