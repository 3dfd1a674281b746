import { fetch as undiciFetch } from 'undici'
import type { Config, NumberConfig } from '../config/types.ts'
import { authorization, place } from '../settings/dialect.ts'
import { transportError } from '../settings/errors.ts'
import {
  createSettingsClient,
  desiredCalling,
  desiredContext,
  type Fetch,
  GraphError,
  type Reconciliation,
  type SettingsClient,
  verifySettings,
} from '../settings/index.ts'
import { createAgent } from '../settings/trust.ts'
import type { Clock } from '../shared/clock.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import { silentLogger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { InstanceProbe } from './instance.ts'

/** What reading a number's settings came to: one of both. */
export interface NumberReading {
  settings: Reconciliation | undefined
  error: CausewayError | undefined
}

/** What asking for something else of a number came to: JSON or the error. */
export interface NodeReading {
  json: Record<string, unknown> | undefined
  error: CausewayError | undefined
}

/** The Graph API as the checks see it. Everything is asked once and only read. */
export interface GraphProbe {
  /** The settings of a number against the configuration. Never rejects. */
  settings(number: NumberConfig): Promise<NumberReading>
  /** `GET /{phone-number-id}?fields=…`. Never rejects. */
  fields(number: NumberConfig, fields: string): Promise<NodeReading>
  /** `GET /me/permissions`: what the token may do. Never rejects. */
  permissions(number: NumberConfig): Promise<NodeReading>
  /** How far our clock is ahead of Graph's, milliseconds; undefined while nothing was answered. */
  skew(): number | undefined
  close(): Promise<void>
}

/** Requests at a time: a site of many numbers is not to be throttled for being looked at. */
const AT_ONCE = 8

/** Milliseconds for one request; a second try only when throttled or answered 5xx. */
const TIMEOUT = 8000

/** Makes the probe; nothing is asked yet. */
export function createGraphProbe(options: {
  config: Config
  clock: Clock
  random: Random
  instance: InstanceProbe
  signal: AbortSignal
}): GraphProbe {
  const { config, clock, random, instance, signal } = options
  const { whatsapp } = config
  const readings = new Map<string, Promise<NumberReading>>()
  const nodes = new Map<string, Promise<NodeReading>>()
  let skew: number | undefined
  let agent: ReturnType<typeof createAgent> | undefined
  let client: SettingsClient | undefined

  const send: Fetch = async (url, init) => {
    agent ??= createAgent(whatsapp.ca)
    const response = await undiciFetch(url, {
      ...init,
      dispatcher: agent,
      signal: AbortSignal.any([init.signal, signal]),
    })
    const date = Date.parse(response.headers.get('date') ?? '')
    // The header has whole seconds: the middle of them is the better guess.
    if (!Number.isNaN(date)) skew = clock.now() - date - 500
    return response
  }

  async function read(number: NumberConfig): Promise<NumberReading> {
    try {
      client ??= createSettingsClient({
        whatsapp,
        clock,
        random,
        log: silentLogger(),
        fetch: send,
        timeout: TIMEOUT,
        attempts: 2,
      })
      const bound = config.sip.listen.whatsapp.port || (await instance.facts())?.whatsapp?.port
      const desired = desiredCalling(number, desiredContext(config, bound))
      return { settings: await verifySettings(client, number, desired), error: undefined }
    } catch (error) {
      return { settings: undefined, error: coded(error, number) }
    }
  }

  async function get(number: NumberConfig, path: string): Promise<NodeReading> {
    const limit = new AbortController()
    const timer = clock.setTimeout(() => limit.abort(), TIMEOUT)
    try {
      const url = `${whatsapp.graphUrl}/${whatsapp.graphVersion}/${path}`
      const response = await send(url, {
        method: 'GET',
        headers: { ...authorization(whatsapp, number), accept: 'application/json' },
        signal: limit.signal,
        redirect: 'manual',
      })
      const text = await response.text()
      const json: unknown = response.status < 300 ? JSON.parse(text) : undefined
      if (typeof json === 'object' && json !== null && !('error' in json)) {
        return { json: json as Record<string, unknown>, error: undefined }
      }
      const answer = { status: response.status, text, retryAfter: undefined }
      return { json: undefined, error: new GraphError(answer, place(number)) }
    } catch (error) {
      return { json: undefined, error: coded(error, number) }
    } finally {
      timer.clear()
    }
  }

  let running = 0
  const waiting: (() => void)[] = []
  async function turn<T>(ask: () => Promise<T>): Promise<T> {
    if (running >= AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await ask()
    } finally {
      // The place goes to the next in line, if there is one.
      const next = waiting.shift()
      if (next) next()
      else running--
    }
  }

  function once<T>(known: Map<string, Promise<T>>, key: string, ask: () => Promise<T>): Promise<T> {
    let answer = known.get(key)
    if (!answer) {
      answer = turn(ask)
      known.set(key, answer)
    }
    return answer
  }

  return {
    settings: (number) => once(readings, number.name, () => read(number)),
    fields: (number, fields) =>
      once(nodes, `${number.name} ${fields}`, () =>
        get(number, `${encodeURIComponent(number.phoneNumberId)}?fields=${fields}`),
      ),
    permissions: (number) =>
      once(nodes, `${number.name} /me/permissions`, () => get(number, 'me/permissions')),
    skew: () => skew,
    async close() {
      await client?.close()
      await agent?.destroy()
    },
  }
}

function coded(error: unknown, number: NumberConfig): CausewayError {
  return isCausewayError(error) ? error : transportError(error, place(number))
}
