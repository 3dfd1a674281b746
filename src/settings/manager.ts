import type { Config, NumberConfig } from '../config/types.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { Secret } from '../shared/secret.ts'
import { createSettingsClient, type Fetch, type SettingsClient } from './client.ts'
import { type CredentialSource, createCredentialStore } from './credentials.ts'
import { desiredCalling, desiredContext } from './desired.ts'
import { place } from './dialect.ts'
import { GraphError, transportError } from './errors.ts'
import {
  applySettings,
  describeDifferences,
  type Reconciliation,
  verifySettings,
} from './reconcile.ts'
import { backoffDelay } from './retry.ts'
import { ownServer } from './servers.ts'
import { type NumberSettingsState, pendingState } from './state.ts'

export interface SettingsManagerOptions {
  config: Config
  clock: Clock
  random: Random
  log: Logger
  /** The bound port of the WhatsApp listener, when the configuration asks for port 0. */
  listenPort?: number
  /** Replaces the HTTP client, for tests. */
  fetch?: Fetch
  /** Milliseconds for one Graph request; default 10 s. */
  timeout?: number
}

/** Keeps the settings of every number as configured and knows their SIP passwords. */
export interface SettingsManager {
  /** Passwords for the bridge. */
  readonly credentials: CredentialSource
  /**
   * Handles all numbers at once and resolves when each had its first attempt. Never rejects: a
   * number that failed says so in its state and, if that may pass, is tried again in the background.
   */
  start(): Promise<void>
  /** The state of a number; undefined for an unknown name. */
  state(numberName: string): NumberSettingsState | undefined
  /** One more attempt now; shared with one under way. For changes reported by a webhook. */
  check(numberName: string): Promise<NumberSettingsState | undefined>
  /** Calls `listener` after every attempt and password change. Returns the unsubscription. */
  onChange(listener: (numberName: string, state: NumberSettingsState) => void): () => void
  /** Ends retries and connections. */
  stop(): Promise<void>
}

/** Pauses between background attempts of a number that cannot be reached. */
const BACKGROUND = { base: 5000, max: 300_000 }
/** The longest Retry-After that is believed. */
const DAY = 86_400_000

interface Entry {
  number: NumberConfig
  state: NumberSettingsState
  failures: number
  settled: string
  retry: Timer | undefined
  running: Promise<void> | undefined
}

/**
 * Builds the manager of a configuration's numbers.
 *
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createSettingsManager(options: SettingsManagerOptions): SettingsManager {
  const { config, clock, random, log } = options
  const client = createClient(options)
  const context = desiredContext(config, options.listenPort, clock)
  const entries = new Map<string, Entry>()
  const listeners = new Set<(numberName: string, state: NumberSettingsState) => void>()
  const credentials = createCredentialStore({ clock, fixed: fixedPasswords(config), read: reread })
  let stopped = false

  for (const number of config.numbers) {
    const state = pendingState()
    const idle = { failures: 0, settled: '', retry: undefined, running: undefined }
    entries.set(number.name, { number, state, ...idle })
  }

  function publish(entry: Entry, change: Partial<NumberSettingsState>): void {
    const credentialsAt = credentials.readAt(entry.number.name)
    entry.state = { ...entry.state, ...change, credentialsAt }
    for (const listener of listeners) {
      try {
        listener(entry.number.name, entry.state)
      } catch (err) {
        log.error({ number: entry.number.name, err }, 'settings listener failed')
      }
    }
  }

  /** Takes the password out of freshly read settings. */
  function keepPassword(entry: Entry, settings: NumberSettingsState['actual']): Secret | undefined {
    const password = settings && ownServer(settings, context.domain)?.sip_user_password
    if (password) credentials.set(entry.number.name, password)
    return password
  }

  async function reread(name: string): Promise<Secret | undefined> {
    const entry = entries.get(name)
    if (!entry) return undefined
    try {
      const actual = await client.read(entry.number)
      const password = keepPassword(entry, actual)
      publish(entry, { actual })
      log.info({ number: name, found: password !== undefined }, 'sip credentials read again')
      return password
    } catch (err) {
      log.warn({ number: name, err }, 'sip credentials cannot be read')
      throw err
    }
  }

  async function reconcile(entry: Entry): Promise<Partial<NumberSettingsState>> {
    const { number } = entry
    if (number.manage === 'off') {
      // With its own password and nothing to compare, the number needs no request at all.
      if (number.sipPassword) return { status: 'ok', error: undefined }
      const actual = await client.read(number)
      const error = keepPassword(entry, actual) ? undefined : noPassword(number, context.domain)
      return { status: error ? 'failed' : 'ok', actual, error }
    }
    const desired = desiredCalling(number, context)
    const result =
      number.manage === 'apply'
        ? await applySettings(client, number, desired, entry.settled)
        : await verifySettings(client, number, desired)
    entry.settled = result.settled
    report(number, result)
    keepPassword(entry, result.actual)
    const needed = desired.sip.server !== undefined && !credentials.get(number.name)
    const error = result.error ?? (needed ? noPassword(number, context.domain) : undefined)
    const { actual, drift, warnings } = result
    const verifyDrift = number.manage === 'verify' && drift.length > 0
    return {
      status: verifyDrift ? 'drift' : error ? 'failed' : 'ok',
      actual,
      drift,
      warnings,
      error,
    }
  }

  function report(number: NumberConfig, result: Reconciliation): void {
    const { found, written, warnings } = result
    if (written.length > 0) {
      log.info(
        { number: number.name, changes: describeDifferences(found), writes: written.length },
        'settings written',
      )
    } else if (found.length > 0) {
      const detail = describeDifferences(found)
      log.warn({ number: number.name, code: 'SETTINGS_DRIFT', detail }, 'settings drift')
    }
    for (const { code, detail } of warnings) log.warn({ number: number.name, code, detail })
  }

  async function attempt(entry: Entry): Promise<void> {
    entry.retry?.clear()
    entry.retry = undefined
    let change: Partial<NumberSettingsState>
    try {
      change = await reconcile(entry)
    } catch (caught) {
      const error = isCausewayError(caught) ? caught : transportError(caught, place(entry.number))
      change = { status: 'failed', error }
    }
    if (stopped) return
    publish(entry, { ...change, lastChecked: clock.now() })
    const { error } = entry.state
    const { name, manage } = entry.number
    if (!error) {
      entry.failures = 0
      log.info({ number: name, manage, status: entry.state.status }, 'settings checked')
      return
    }
    entry.failures++
    const again = error.retryable ? pauseBefore(error, entry.failures) : undefined
    log.error({ number: name, err: error, again }, 'settings failed')
    if (again !== undefined) entry.retry = clock.setTimeout(() => void run(entry), again)
  }

  function pauseBefore(error: CausewayError, failures: number): number {
    const asked = error instanceof GraphError ? (error.retryAfter ?? 0) : 0
    return Math.max(Math.min(asked, DAY), backoffDelay(BACKGROUND, failures, random))
  }

  function run(entry: Entry): Promise<void> {
    entry.running ??= attempt(entry).finally(() => {
      entry.running = undefined
    })
    return entry.running
  }

  return {
    credentials,
    async start() {
      await Promise.all([...entries.values()].map(run))
    },
    state: (name) => entries.get(name)?.state,
    async check(name) {
      const entry = entries.get(name)
      if (entry) await run(entry)
      return entry?.state
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      stopped = true
      for (const entry of entries.values()) entry.retry?.clear()
      await client.close()
    },
  }
}

function createClient(options: SettingsManagerOptions): SettingsClient {
  const { config, clock, random, log, fetch, timeout } = options
  return createSettingsClient({
    whatsapp: config.whatsapp,
    clock,
    random,
    log,
    ...(fetch ? { fetch } : {}),
    ...(timeout === undefined ? {} : { timeout }),
  })
}

function fixedPasswords(config: Config): Map<string, Secret> {
  const passwords = new Map<string, Secret>()
  for (const { name, sipPassword } of config.numbers) {
    if (sipPassword) passwords.set(name, sipPassword)
  }
  return passwords
}

function noPassword(number: NumberConfig, domain: string): CausewayError {
  const detail = `no password for ${domain}`
  return new CausewayError('SETTINGS_CREDENTIALS_MISSING', { detail, place: place(number) })
}
