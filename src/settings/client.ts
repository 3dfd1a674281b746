import { fetch as undiciFetch } from 'undici'
import type { NumberConfig, WhatsAppConfig } from '../config/types.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { authorization, place, settingsUrl } from './dialect.ts'
import { type GraphAnswer, GraphError, transportError } from './errors.ts'
import { parseDocument } from './parse.ts'
import { backoffDelay, pause, retryAfterOf } from './retry.ts'
import { createAgent } from './trust.ts'
import type { CallingPatch, CallingSettings, SettingsDocument } from './types.ts'
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

export interface SettingsClientOptions {
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
}

/** The settings endpoint of the Graph API, for every number of one configuration. */
export interface SettingsClient {
  /** Reads the settings with the SIP credentials. Rejects with {@link CausewayError}. */
  read(number: NumberConfig): Promise<CallingSettings>
  /** Writes one `calling` object and nothing beside it. Rejects with {@link CausewayError}. */
  write(number: NumberConfig, patch: CallingPatch): Promise<void>
  /** Aborts what is under way and closes the connections. */
  close(): Promise<void>
}

/** A client that also shows what is never written. */
export interface SettingsReader extends SettingsClient {
  /** Like `read`, with the other feature groups of the endpoint. */
  readDocument(number: NumberConfig): Promise<SettingsDocument>
}

const BACKOFF = { base: 500, max: 8000 }
/** A longer Retry-After is left to the caller instead of holding the attempt open. */
const LONGEST_WAIT = 60_000

/**
 * A client that gives every request a time limit and repeats only what was throttled (codes 4, 613,
 * 80007, 130429, HTTP 429) or failed on the server (5xx). Both requests may safely be repeated:
 * a write sets values.
 *
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createSettingsClient(options: SettingsClientOptions): SettingsReader {
  const { whatsapp, clock, random, log } = options
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

  async function request(url: URL, number: NumberConfig, body?: string): Promise<unknown> {
    for (let failures = 1; ; failures++) {
      const answer: GraphAnswer = await once(url, number, body)
      const parsed = answer.status < 300 ? parseJson(answer.text) : undefined
      // Graph has answered 200 with an error envelope: that is an error, too.
      if (parsed !== undefined && !(isObject(parsed) && isObject(parsed['error']))) return parsed
      const error = new GraphError(answer, place(number))
      const wait = Math.max(backoffDelay(BACKOFF, failures, random), error.retryAfter ?? 0)
      if (!error.transient || failures >= attempts || wait > LONGEST_WAIT) throw error
      log.info({ number: number.name, code: error.code, detail: error.detail, wait }, 'graph retry')
      await pause(clock, wait, closing.signal).catch((cause) => {
        throw transportError(cause, place(number))
      })
    }
  }

  async function readDocument(number: NumberConfig): Promise<SettingsDocument> {
    const url = settingsUrl(whatsapp, number)
    url.searchParams.set('include_sip_credentials', 'true')
    const settings = parseDocument(await request(url, number))
    if (settings) return settings
    const detail = 'the settings are no object'
    throw new CausewayError('SETTINGS_MALFORMED_RESPONSE', { detail, place: place(number) })
  }

  return {
    readDocument,
    read: async (number) => (await readDocument(number)).calling,
    async write(number, calling) {
      const url = settingsUrl(whatsapp, number)
      const answer = await request(url, number, JSON.stringify({ calling }))
      if (isObject(answer) && answer['success'] === true) return
      throw new CausewayError('SETTINGS_WRITE_REFUSED', { place: place(number) })
    },
    async close() {
      closing.abort(new Error('closed'))
      await agent?.destroy()
    },
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
