import { fetch as undiciFetch } from 'undici'
import type { Config, NumberConfig } from '../config/types.ts'
import { place } from '../settings/dialect.ts'
import { transportError } from '../settings/errors.ts'
import { createGraph, type Graph } from '../settings/graph.ts'
import {
  createSettingsClient,
  desiredCalling,
  desiredContext,
  type Fetch,
  type Reconciliation,
  type SettingsClient,
  verifySettings,
} from '../settings/index.ts'
import { createAgent } from '../settings/trust.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import { isObject } from '../shared/json.ts'
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

/** Milliseconds for one request; a second try only of settings, when throttled or answered 5xx. */
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
  let graph: Graph | undefined

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

  const habits = { whatsapp, clock, random, log: silentLogger(), fetch: send, timeout: TIMEOUT }

  async function read(number: NumberConfig): Promise<NumberReading> {
    try {
      client ??= createSettingsClient({ ...habits, attempts: 2 })
      const bound = config.sip.listen.whatsapp.port || (await instance.facts())?.whatsapp?.port
      const desired = desiredCalling(number, desiredContext(config, bound))
      return { settings: await verifySettings(client, number, desired), error: undefined }
    } catch (error) {
      return { settings: undefined, error: coded(error, number) }
    }
  }

  async function get(number: NumberConfig, path: string): Promise<NodeReading> {
    try {
      graph ??= createGraph({ ...habits, attempts: 1 })
      const url = new URL(`${whatsapp.graphUrl}/${whatsapp.graphVersion}/${path}`)
      const json = await graph.request(url, number)
      if (isObject(json)) return { json, error: undefined }
      const detail = 'the answer is no object'
      throw new CausewayError('SETTINGS_MALFORMED_RESPONSE', { detail, place: place(number) })
    } catch (error) {
      return { json: undefined, error: coded(error, number) }
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
      await graph?.close()
      await agent?.destroy()
    },
  }
}

function coded(error: unknown, number: NumberConfig): CausewayError {
  return isCausewayError(error) ? error : transportError(error, place(number))
}
