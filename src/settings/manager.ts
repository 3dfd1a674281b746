import type { Config, NumberConfig } from '../config/types.ts'
import type { Clock, Timer } from '../shared/clock.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { Secret } from '../shared/secret.ts'
import { attemptSettings } from './attempt.ts'
import { createSettingsClient, type Fetch, type SettingsClient } from './client.ts'
import { type CredentialSource, createCredentialStore } from './credentials.ts'
import { desiredContext } from './desired.ts'
import { place } from './dialect.ts'
import { GraphError, transportError } from './errors.ts'
import type { GraphMeter } from './graph-meter.ts'
import { type JournalActor, type JournalSink, noJournal } from './journal.ts'
import { recordingClient } from './recording-client.ts'
import { RepairLimit } from './repair-limit.ts'
import { backoffDelay } from './retry.ts'
import { repeatedly } from './schedule.ts'
import { ownServer } from './servers.ts'
import { type NumberSettingsState, pendingState } from './state.ts'
import type { CallingSettings } from './types.ts'
import { type CredentialVault, memoryVault } from './vault.ts'

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
  /** Told of every read, plan, write and result; default nowhere. */
  journal?: JournalSink
  /** Keeps passwords; those it has serve before the first read. Default: in memory. */
  vault?: CredentialVault
  /** Counts the requests to the Graph API. */
  meter?: GraphMeter
  /** What keeps the settings of a number from being looked at now, such as a rotation. */
  busy?: (numberName: string) => Promise<unknown> | undefined
}

/** Keeps the settings of every number as configured and knows their SIP passwords. */
export interface SettingsManager {
  /** Passwords for the bridge. */
  readonly credentials: CredentialSource
  /**
   * Handles all numbers at once and resolves when each had its first attempt; from then on they are
   * checked at intervals. Never rejects: a number that failed says so in its state and, if that may
   * pass, is tried again in the background.
   */
  start(who?: JournalActor): Promise<void>
  /** The state of a number; undefined for an unknown name. */
  state(numberName: string): NumberSettingsState | undefined
  /** One more attempt now; shared with one under way. For changes reported by a webhook. */
  check(numberName: string, who?: JournalActor): Promise<NumberSettingsState | undefined>
  /** An operator asks: numbers left alone after too many repairs are put right again now. */
  resume(): Promise<void>
  /** Resolves when the attempt on a number that has begun, if any, has ended. */
  idle(numberName: string): Promise<void>
  /** Takes a password that was read elsewhere, with the settings it was read in. */
  learn(numberName: string, settings: CallingSettings): void
  /** Calls `listener` after every attempt and password change. Returns the unsubscription. */
  onChange(listener: (numberName: string, state: NumberSettingsState) => void): () => void
  /** Ends checks, retries and connections. */
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
  /** One is asked for; it may still wait for what keeps the number busy. */
  running: Promise<void> | undefined
  /** The one that was last begun. */
  attempt: Promise<void> | undefined
}

/**
 * Builds the manager of a configuration's numbers.
 *
 * @throws SETTINGS_CA_UNREADABLE when `whatsapp.ca` cannot be used
 */
export function createSettingsManager(options: SettingsManagerOptions): SettingsManager {
  const { config, clock, random, log, journal = noJournal, vault = memoryVault() } = options
  const client = createClient(options)
  const context = desiredContext(config, options.listenPort, clock)
  const limit = new RepairLimit(clock)
  const entries = new Map<string, Entry>()
  const listeners = new Set<(numberName: string, state: NumberSettingsState) => void>()
  const credentials = createCredentialStore({ clock, fixed: fixedPasswords(config), read: reread })
  let stopped = false
  let endChecks = (): void => {}

  for (const number of config.numbers) {
    const kept = vault.get(number)
    if (kept) credentials.set(number.name, kept.password, kept.at)
    const state = { ...pendingState(), credentialsAt: credentials.readAt(number.name) }
    const idle = { failures: 0, settled: '', retry: undefined }
    entries.set(number.name, { number, state, ...idle, running: undefined, attempt: undefined })
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
  function keepPassword(number: NumberConfig, settings: CallingSettings): Secret | undefined {
    const server = ownServer(settings, context.domain)
    const password = server?.sip_user_password
    if (!password) return undefined
    const at = clock.now()
    credentials.set(number.name, password, at)
    vault.keep(number, server.app_id ?? '', { password, at })
    return password
  }

  async function reread(name: string): Promise<Secret | undefined> {
    const entry = entries.get(name)
    if (!entry) return undefined
    try {
      const actual = await recordingClient(client, journal, 'credentials').read(entry.number)
      const password = keepPassword(entry.number, actual)
      publish(entry, { actual })
      log.info({ number: name, found: password !== undefined }, 'sip credentials read again')
      return password
    } catch (err) {
      log.warn({ number: name, err }, 'sip credentials cannot be read')
      throw err
    }
  }

  async function attempt(entry: Entry, who: JournalActor): Promise<void> {
    const { number } = entry
    const { name, manage } = number
    entry.retry?.clear()
    entry.retry = undefined
    let change: Partial<NumberSettingsState>
    let again: number | undefined
    try {
      const outcome = await attemptSettings(number, entry.settled, who, {
        client: recordingClient(client, journal, who),
        context,
        limit,
        log,
        keepPassword: (one, settings) => keepPassword(one, settings) !== undefined,
        knows: (one) => credentials.get(one.name) !== undefined,
      })
      change = outcome.change
      entry.settled = outcome.settled
      again = outcome.truce?.left
    } catch (caught) {
      const error = isCausewayError(caught) ? caught : transportError(caught, place(number))
      change = { status: 'failed', error }
    }
    if (stopped) return
    publish(entry, { ...change, lastChecked: clock.now() })
    const { status, error, drift } = entry.state
    journal.record({ number: name, who, action: 'result', after: { status, drift }, error })
    if (!error) {
      entry.failures = 0
      log.info({ number: name, manage, status }, 'settings checked')
      return
    }
    entry.failures++
    if (error.retryable) again = pauseBefore(error, entry.failures)
    log.error({ number: name, err: error, again }, 'settings failed')
    if (again !== undefined) entry.retry = clock.setTimeout(() => void run(entry, 'retry'), again)
  }

  function pauseBefore(error: CausewayError, failures: number): number {
    const asked = error instanceof GraphError ? (error.retryAfter ?? 0) : 0
    return Math.max(Math.min(asked, DAY), backoffDelay(BACKGROUND, failures, random))
  }

  async function whenFree(entry: Entry, who: JournalActor): Promise<void> {
    const busy = () => options.busy?.(entry.number.name)
    for (let other = busy(); other; other = busy()) await other
    if (stopped) return
    entry.attempt = attempt(entry, who)
    await entry.attempt
  }

  function run(entry: Entry, who: JournalActor): Promise<void> {
    entry.running ??= whenFree(entry, who).finally(() => {
      entry.running = undefined
    })
    return entry.running
  }

  /** Drift is looked for under way, and passwords are fetched again where they come from WhatsApp. */
  function checkAtIntervals(): void {
    const { checkInterval, credentialsInterval } = config.whatsapp
    const named = (wanted: (number: NumberConfig) => boolean): string[] =>
      config.numbers.filter(wanted).map(({ name }) => name)
    const managed = named(({ manage }) => manage !== 'off')
    const fetched = named(({ sipPassword, accessToken }) => !sipPassword && !!accessToken)
    const check = (name: string) => run(entries.get(name) as Entry, 'drift check')
    const ends = [
      repeatedly(managed, checkInterval, check, { clock, random }),
      repeatedly(fetched, credentialsInterval, credentials.refresh, { clock, random }),
    ]
    endChecks = () => {
      for (const end of ends) end()
    }
  }

  return {
    credentials,
    async start(who = 'start') {
      await Promise.all([...entries.values()].map((entry) => run(entry, who)))
      if (!stopped) checkAtIntervals()
    },
    state: (name) => entries.get(name)?.state,
    async check(name, who = 'webhook') {
      const entry = entries.get(name)
      if (entry) await run(entry, who)
      return entry?.state
    },
    async resume() {
      const fought = [...entries.values()].filter(
        ({ state }) => state.error?.code === 'SETTINGS_FIGHT',
      )
      for (const { number } of fought) limit.reset(number.name)
      await Promise.all(fought.map((entry) => run(entry, 'reload')))
    },
    async idle(name) {
      await entries.get(name)?.attempt
    },
    learn(name, settings) {
      const entry = entries.get(name)
      if (!entry) return
      keepPassword(entry.number, settings)
      publish(entry, { actual: settings })
    },
    onChange(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async stop() {
      stopped = true
      endChecks()
      for (const entry of entries.values()) entry.retry?.clear()
      await client.close()
    },
  }
}

function createClient(options: SettingsManagerOptions): SettingsClient {
  const { config, clock, random, log, fetch, timeout, meter } = options
  return createSettingsClient({
    whatsapp: config.whatsapp,
    clock,
    random,
    log,
    ...(fetch ? { fetch } : {}),
    ...(timeout === undefined ? {} : { timeout }),
    ...(meter ? { meter } : {}),
  })
}

function fixedPasswords(config: Config): Map<string, Secret> {
  const passwords = new Map<string, Secret>()
  for (const { name, sipPassword } of config.numbers) {
    if (sipPassword) passwords.set(name, sipPassword)
  }
  return passwords
}
