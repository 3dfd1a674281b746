import type { Config } from '../config/types.ts'
import {
  type CredentialSource,
  createSettingsManager,
  type NumberSettingsState,
  type SettingsManager,
} from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import type { Secret } from '../shared/secret.ts'

/** The settings of the numbers, across reloads: each configuration gets a manager of its own. */
export class NumberSettings implements CredentialSource {
  readonly #deps: { clock: Clock; random: Random; log: Logger; listenPort: number }
  readonly #listeners = new Set<(name: string, state: NumberSettingsState) => void>()
  #manager: SettingsManager | undefined
  #settled: Promise<void> = Promise.resolve()

  constructor(deps: { clock: Clock; random: Random; log: Logger; listenPort: number }) {
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
      await next.start()
    })()
  }

  /** Resolves when each number had its first attempt. */
  get settled(): Promise<void> {
    return this.#settled
  }

  state(name: string): NumberSettingsState | undefined {
    return this.#manager?.state(name)
  }

  get(name: string): Secret | undefined {
    return this.#manager?.credentials.get(name)
  }

  async refresh(name: string): Promise<Secret | undefined> {
    return this.#manager?.credentials.refresh(name)
  }

  /** Looks at the settings of a number now. */
  async check(name: string): Promise<NumberSettingsState | undefined> {
    return this.#manager?.check(name)
  }

  /** Calls `listener` after every look at the settings of a number, across reloads. */
  onChange(listener: (name: string, state: NumberSettingsState) => void): void {
    this.#listeners.add(listener)
  }

  async stop(): Promise<void> {
    await this.#manager?.stop()
  }
}
