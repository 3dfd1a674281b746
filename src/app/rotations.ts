import type { Config, NumberConfig } from '../config/types.ts'
import type { RotationView } from '../http/index.ts'
import {
  backoffDelay,
  type CallingSettings,
  createSettingsClient,
  desiredContext,
  type GraphMeter,
  type JournalActor,
  type JournalSink,
  pause,
  type RotationDeps,
  type RotationState,
  type RotationStore,
  recordingClient,
  rotate,
  type SettingsClient,
  unfinishedRotation,
} from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { knownNumber } from './views.ts'

/** What rotations work with. */
export interface RotationsDeps {
  clock: Clock
  random: Random
  log: Logger
  store: RotationStore
  journal: JournalSink
  config: () => Config
  listenPort: number
  /** Counts the requests to the Graph API. */
  meter?: GraphMeter
  /** Calls of a number in progress. */
  calls: (name: string) => number
  /** Keeps new calls of a number away; resolves when none is left, or after `ms`. */
  hold: (name: string, ms: number) => Promise<void>
  release: (name: string) => void
  /** Resolves when nobody else is at work on the settings of a number. */
  idle: (name: string) => Promise<void>
  /** Takes the new password. */
  learn: (name: string, settings: CallingSettings) => void
  /** Compares the settings with the configuration. */
  check: (name: string) => Promise<unknown>
}

interface Job {
  view: Omit<RotationView, 'calls'>
  /** While it runs; the settings of the number are left to it. */
  running: Promise<void> | undefined
}

/** Pauses between attempts of a step that failed for a reason that may pass, milliseconds. */
const AGAIN = { base: 1000, max: 60_000 }

/** The rotations of a running instance: one for each number at a time. */
export class Rotations {
  readonly #deps: RotationsDeps
  readonly #jobs = new Map<string, Job>()
  readonly #ending = new AbortController()

  constructor(deps: RotationsDeps) {
    this.#deps = deps
  }

  /** What others wait for before they touch the settings of a number. */
  busy(name: string): Promise<void> | undefined {
    return this.#jobs.get(name)?.running
  }

  /** The rotation of a number that runs, or the last that has ended. */
  view(name: string): RotationView | undefined {
    const job = this.#jobs.get(name)
    return job && { ...job.view, calls: this.#deps.calls(name) }
  }

  /** Milliseconds a number was switched off by its last rotation. */
  window(name: string): number | undefined {
    return this.#jobs.get(name)?.view.window_ms ?? undefined
  }

  /**
   * Begins a rotation, or continues one that was interrupted.
   *
   * @throws CausewayError APP_NUMBER_UNKNOWN, SETTINGS_ROTATION_RUNNING, SETTINGS_ROTATION_UNFINISHED,
   * SETTINGS_ROTATION_NONE
   */
  start(name: string, { wait, resume }: { wait: number; resume: boolean }): RotationView {
    const number = knownNumber(this.#deps.config(), name)
    if (this.busy(name)) {
      throw new CausewayError('SETTINGS_ROTATION_RUNNING', { place: `number ${name}` })
    }
    const unfinished = unfinishedRotation(this.#deps.store, number, resume)
    return this.#begin(number, { wait, unfinished, who: 'api' })
  }

  /** Continues what an earlier run of the process left unfinished. */
  resumeAll(): void {
    const { config, store, log } = this.#deps
    for (const state of store.all()) {
      const number = config().numbers.find((one) => one.name === state.number)
      if (number?.phoneNumberId === state.phoneNumberId) {
        this.#begin(number, { wait: 0, unfinished: state, who: 'start' })
      } else
        log.warn({ number: state.number, step: state.step }, 'unfinished rotation of no number')
    }
  }

  /** Ends what is under way; it is continued at the next start. */
  async stop(): Promise<void> {
    this.#ending.abort(new Error('stopped'))
    await Promise.all([...this.#jobs.values()].map(({ running }) => running))
  }

  #begin(
    number: NumberConfig,
    how: { wait: number; unfinished: RotationState | undefined; who: JournalActor },
  ): RotationView {
    const { name } = number
    const { log, check, calls } = this.#deps
    const job: Job = {
      view: {
        number: name,
        state: 'running',
        unfinished: true,
        steps: [],
        window_ms: null,
        error: null,
      },
      running: undefined,
    }
    this.#jobs.set(name, job)
    const { wait, unfinished } = how
    log.info({ number: name, step: unfinished?.step, wait }, 'sip password rotation begins')
    job.running = this.#run(number, how, job).finally(() => {
      job.running = undefined
      // Whatever it came to, the settings are looked at as a whole again.
      if (!this.#ending.signal.aborted) void check(name)
    })
    return { ...job.view, calls: calls(name) }
  }

  async #run(
    number: NumberConfig,
    how: { wait: number; unfinished: RotationState | undefined; who: JournalActor },
    job: Job,
  ): Promise<void> {
    const { name } = number
    const { hold, release, idle } = this.#deps
    let close = async (): Promise<void> => {}
    const onEnding = (): void => void close()
    try {
      void hold(name, 0)
      await idle(name)
      const client = this.#client()
      close = () => client.close()
      this.#ending.signal.addEventListener('abort', onEnding, { once: true })
      await this.#untilDone(number, client, how, job)
      job.view.state = 'done'
      job.view.unfinished = false
      job.view.error = null
    } catch (error) {
      job.view.state = 'failed'
      job.view.error ??= codedOf(error)
    } finally {
      this.#ending.signal.removeEventListener('abort', onEnding)
      release(name)
      await close()
    }
  }

  /** The number is off: what may pass by itself is tried again for as long as it takes. */
  async #untilDone(
    number: NumberConfig,
    client: SettingsClient,
    how: { wait: number; unfinished: RotationState | undefined; who: JournalActor },
    job: Job,
  ): Promise<void> {
    const { store, log, clock, random } = this.#deps
    const { signal } = this.#ending
    let state = how.unfinished
    for (let failures = 1; ; failures++) {
      try {
        await this.#once(
          number,
          recordingClient(client, this.#deps.journal, how.who),
          how,
          job,
          state,
        )
        return
      } catch (caught) {
        const error = codedOf(caught)
        job.view.error = error
        state = store.load(number.name)
        job.view.unfinished = state !== undefined
        const again = state !== undefined && error.retryable && !signal.aborted
        const step = state?.step
        log.error({ number: number.name, step, err: error, again }, 'sip password rotation failed')
        if (!again) throw error
        await pause(clock, backoffDelay(AGAIN, failures, random), signal)
      }
    }
  }

  async #once(
    number: NumberConfig,
    client: SettingsClient,
    { wait, who }: { wait: number; who: JournalActor },
    job: Job,
    state: RotationState | undefined,
  ): Promise<void> {
    const { name } = number
    const { clock, random, store, journal, hold, learn, log, config, listenPort } = this.#deps
    const deps: RotationDeps = {
      client,
      store,
      journal,
      who,
      clock,
      random,
      context: desiredContext(config(), listenPort),
      drain: () => hold(name, wait),
      onStep: ({ step, disabledAt, enabledAt }) => {
        job.view.steps.push({ step, at: new Date(clock.now()).toISOString() })
        if (disabledAt !== undefined && enabledAt !== undefined) {
          job.view.window_ms = enabledAt - disabledAt
        }
      },
    }
    const result = await rotate(number, deps, state)
    learn(name, result.actual)
    log.info({ number: name, window: result.window }, 'sip password rotated')
  }

  #client(): SettingsClient {
    const { config, clock, random, log, meter } = this.#deps
    const { whatsapp } = config()
    return createSettingsClient({ whatsapp, clock, random, log, ...(meter ? { meter } : {}) })
  }
}

function codedOf(error: unknown): CausewayError {
  if (isCausewayError(error)) return error
  const detail = error instanceof Error ? error.message : String(error)
  return new CausewayError('SETTINGS_RECORDS_UNUSABLE', { detail, cause: error })
}
