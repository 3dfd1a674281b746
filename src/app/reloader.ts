import { ConfigErrors, type LoadResult } from '../config/index.ts'
import type { Config } from '../config/types.ts'
import type { HealthCheck, MetricFamily, ReloadResult, ReloadView } from '../http/index.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { configHash } from './config-hash.ts'
import { counter, gauge, labelled, one } from './metrics/families.ts'
import { configChanges, reloadedConfig, restartReason } from './reload.ts'

/** What a reload works with. */
export interface ReloaderParts {
  /** The running configuration. */
  config: () => Config
  /** Reads the file again. @throws ConfigErrors */
  load: () => LoadResult
  /**
   * Looks at what the configuration to be names and only its use would show: before anything is
   * changed. @throws CausewayError
   */
  verify: (config: Config) => void
  /** Takes it. */
  apply: (config: Config, before: Config) => Promise<void>
  /** Told when a reload begins and when it has ended. */
  onReload?: ((event: 'begun' | 'ended', result?: ReloadResult) => void) | undefined
  clock: Clock
  log: Logger
}

/**
 * Reloads of the configuration, one after the other: whoever asks while one runs shares the next, which
 * reads the file after they asked. A bad file changes nothing.
 */
export class Reloader {
  readonly #parts: ReloaderParts
  readonly #counts = { taken: 0, refused: 0 }
  #loadedAt: number
  #last: ReloadView['last'] = null
  #restart: string[] = []
  #running: Promise<ReloadResult> | undefined
  #next: Promise<ReloadResult> | undefined
  #stopped = false

  constructor(parts: ReloaderParts) {
    this.#parts = parts
    this.#loadedAt = parts.clock.now()
  }

  /** Reads the file again and takes what can change. Never rejects. */
  reload(): Promise<ReloadResult> {
    if (!this.#running) {
      this.#running = this.#reload().finally(() => {
        this.#running = undefined
      })
      return this.#running
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.reload()
    })
    return this.#next
  }

  /** No more reloads; resolves when none runs. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#next
    await this.#running
  }

  view(): ReloadView {
    return {
      loaded_at: new Date(this.#loadedAt).toISOString(),
      hash: `sha256:${configHash(this.#parts.config())}`,
      restart: this.#restart,
      last: this.#last,
    }
  }

  check(): HealthCheck {
    const { loaded_at: at, hash } = this.view()
    const loaded = `loaded ${at}, ${hash}`
    const base = { component: 'configuration', id: 'file', ready: true } as const
    if (this.#last && !this.#last.ok) {
      const output = `the reload at ${this.#last.at} was refused: ${firstOf(this.#last.errors)}; in use: ${loaded}`
      return { ...base, status: 'warn', output }
    }
    const waiting =
      this.#restart.length > 0 ? `; waits for a restart: ${this.#restart.join(', ')}` : ''
    return { ...base, status: 'pass', output: loaded + waiting }
  }

  metrics(): MetricFamily[] {
    return [
      counter(
        'reloads',
        'Reloads of the configuration, by what became of them.',
        labelled('result', this.#counts),
      ),
      gauge(
        'last_reload_successful',
        'Whether the last reload was taken; 1 before the first.',
        one(this.#last === null || this.#last.ok ? 1 : 0),
      ),
      gauge(
        'last_reload_timestamp_seconds',
        'When the running configuration was loaded, seconds since the epoch.',
        one(this.#loadedAt / 1000),
      ),
    ]
  }

  async #reload(): Promise<ReloadResult> {
    const { clock, log, onReload } = this.#parts
    onReload?.('begun')
    const result = await this.#attempt()
    this.#counts[result.ok ? 'taken' : 'refused']++
    this.#last = { at: new Date(clock.now()).toISOString(), ...result }
    const { applied, restart, errors } = result
    if (result.ok) log.info({ applied, restart }, 'configuration reloaded')
    else log.error({ errors }, 'configuration not reloaded')
    onReload?.('ended', result)
    return result
  }

  async #attempt(): Promise<ReloadResult> {
    const { clock, config, load, verify, apply } = this.#parts
    if (this.#stopped) return refused([new CausewayError('APP_RELOAD_STOPPING')])
    let loaded: LoadResult
    const before = config()
    let after: Config
    try {
      loaded = load()
      after = reloadedConfig(before, loaded.config)
      verify(after)
    } catch (error) {
      if (error instanceof ConfigErrors) return refused(error.errors, error.warnings)
      return refused([coded(error)])
    }
    const { applied, restart } = configChanges(before, loaded.config)
    try {
      await apply(after, before)
    } catch (error) {
      return refused([coded(error)], loaded.warnings)
    }
    this.#loadedAt = clock.now()
    this.#restart = restart
    const reasons = Object.fromEntries(restart.map((path) => [path, restartReason(path)]))
    return { ok: true, applied, restart, reasons, errors: [], warnings: [...loaded.warnings] }
  }
}

function refused(errors: readonly unknown[], warnings: readonly unknown[] = []): ReloadResult {
  return {
    ok: false,
    applied: [],
    restart: [],
    reasons: {},
    errors: [...errors],
    warnings: [...warnings],
  }
}

/** A fault of this program is told like any error: nobody may be left without an answer. */
function coded(error: unknown): CausewayError {
  if (isCausewayError(error)) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new CausewayError('APP_RELOAD_FAILED', { detail, cause: error })
}

function firstOf(errors: readonly unknown[]): string {
  const [first] = errors.filter(isCausewayError)
  const more = errors.length > 1 ? ` and ${errors.length - 1} more` : ''
  const place = first?.place ? ` at ${first.place}` : ''
  return first ? `${first.code}${place}${more}` : 'see the log'
}
