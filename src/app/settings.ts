import type { Config } from '../config/types.ts'
import {
  type CallingSettings,
  type CredentialSource,
  type CredentialVault,
  createSettingsManager,
  type GraphMeter,
  type JournalActor,
  type JournalSink,
  type NumberSettingsState,
  type SettingsManager,
} from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { Secret } from '../shared/secret.ts'

/** What the settings of the numbers work with. */
export interface NumberSettingsDeps {
  clock: Clock
  random: Random
  log: Logger
  listenPort: number
  journal: JournalSink
  vault: CredentialVault
  /** Counts the requests to the Graph API. */
  meter: GraphMeter
  /** What keeps the settings of a number from being looked at now. */
  busy: (name: string) => Promise<unknown> | undefined
}

/** The settings of the numbers, across reloads: each configuration gets a manager of its own. */
export class NumberSettings implements CredentialSource {
  readonly #deps: NumberSettingsDeps
  readonly #listeners = new Set<(name: string, state: NumberSettingsState) => void>()
  readonly #usedAt = new Map<string, number>()
  #manager: SettingsManager | undefined
  #settled: Promise<void> = Promise.resolve()

  constructor(deps: NumberSettingsDeps) {
    this.#deps = deps
  }

  /** Starts on the numbers of a configuration; an earlier configuration's work ends. */
  configure(config: Config): void {
    const previous = this.#manager
    const next = createSettingsManager({ config, ...this.#deps })
    this.#manager = next
    next.onChange((name, state) => {
      for (const listener of this.#listeners) listener(name, state)
    })
    this.#settled = (async () => {
      await previous?.stop()
      await next.start(previous ? 'reload' : 'start')
    })()
  }

  /** Resolves when each number had its first attempt. */
  get settled(): Promise<void> {
    return this.#settled
  }

  state(name: string): NumberSettingsState | undefined {
    return this.#manager?.state(name)
  }

  /** Looks at a number now; for changes that were told of. */
  async check(name: string, who: JournalActor): Promise<NumberSettingsState | undefined> {
    return this.#manager?.check(name, who)
  }

  /** Takes up again what was given up for fighting with somebody else. */
  async resume(): Promise<void> {
    await this.#manager?.resume()
  }

  /** Resolves when no request about a number's settings is under way. */
  async idle(name: string): Promise<void> {
    await this.#manager?.idle(name)
  }

  /** Takes the password out of settings that were read elsewhere. */
  learn(name: string, settings: CallingSettings): void {
    this.#manager?.learn(name, settings)
  }

  /** Whether the password of a number is known. */
  knows(name: string): boolean {
    return this.#manager?.credentials.get(name) !== undefined
  }

  /** When a call last asked for the password of a number, milliseconds since the epoch. */
  usedAt(name: string): number | undefined {
    return this.#usedAt.get(name)
  }

  /** The password of a number, for a call. */
  get(name: string): Secret | undefined {
    const password = this.#manager?.credentials.get(name)
    if (password) this.#usedAt.set(name, this.#deps.clock.now())
    return password
  }

  async refresh(name: string): Promise<Secret | undefined> {
    return this.#manager?.credentials.refresh(name)
  }

  /** Calls `listener` after every look at the settings of a number, across reloads. */
  onChange(listener: (name: string, state: NumberSettingsState) => void): void {
    this.#listeners.add(listener)
  }

  async stop(): Promise<void> {
    await this.#manager?.stop()
  }
}
