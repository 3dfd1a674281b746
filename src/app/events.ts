import type { CallRegistry } from '../calls/index.ts'
import type { Config, NumberConfig } from '../config/types.ts'
import { CallEvents, EventPublisher, type Post, type TargetStatus } from '../events/index.ts'
import type { HealthCheck, MetricFamily, Sample } from '../http/index.ts'
import type { NumberSettingsState } from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { counter, gauge, one } from './metrics/families.ts'

/** Failures of a target in a row from which health warns. */
const WARNING = 3
/** How long the last events may take when the process stops, milliseconds. */
const FLUSH = 5000

/** What events are made of and sent with. */
export interface EventsOptions {
  /** As it is now; a reload may change it. */
  config: () => Config
  calls: CallRegistry
  clock: Clock
  random: Random
  log: Logger
  /** Replaces HTTP, for tests. */
  post?: Post
}

/** The events a running instance publishes. */
export class Events {
  readonly publisher: EventPublisher
  readonly #config: () => Config
  readonly #calls: CallEvents
  readonly #unsubscribe: () => void
  /** Drift last published, by number. */
  readonly #drift = new Map<string, string>()

  constructor(options: EventsOptions) {
    const { config, calls, clock } = options
    const folder = config().records.path
    this.#config = config
    this.publisher = new EventPublisher({ folder, ...options })
    this.publisher.configure(config().events.webhooks)
    const numberOf = (name: string) => this.#number(name)
    this.#calls = new CallEvents({ publisher: this.publisher, clock, numberOf })
    this.#unsubscribe = calls.subscribe(this.#calls)
  }

  /** Takes the targets of the present configuration. */
  configure(): void {
    this.publisher.configure(this.#config().events.webhooks)
  }

  /** Publishes what differs in the settings of a number, when that has changed. */
  onSettings(name: string, { drift }: NumberSettingsState): void {
    const differences = drift.map(({ path, actual, desired }) => ({ path, actual, desired }))
    const text = JSON.stringify(differences)
    if (text === (this.#drift.get(name) ?? '[]')) return
    this.#drift.set(name, text)
    const number = this.#number(name)
    const data = { differences }
    this.publisher.publish({ type: 'settings.drift', key: `settings ${name}`, number, data })
  }

  /** A target that fails warns; calls go on without it. */
  checks(): HealthCheck[] {
    return this.publisher.status().map(({ name, failures, lastFailure, queued }) => {
      const failing = failures >= WARNING
      return {
        component: 'events',
        id: name,
        status: failing ? 'warn' : 'pass',
        output: failing
          ? `${failures} attempts failed in a row, ${lastFailure}; events that wait: ${queued}`
          : 'events are delivered',
        ready: true,
      }
    })
  }

  metrics(): MetricFamily[] {
    const targets = this.publisher.status()
    const each = (samples: (target: TargetStatus) => Sample[]): Sample[] => targets.flatMap(samples)
    return [
      counter(
        'events_delivered',
        'Events a target took.',
        each(({ name, delivered }) => [{ labels: { target: name }, value: delivered }]),
      ),
      counter(
        'events_attempts',
        'Attempts to deliver an event, by what they came to.',
        each(({ name, attempts }) =>
          attempts.map(({ result, count }) => ({ labels: { target: name, result }, value: count })),
        ),
      ),
      counter(
        'events_undelivered',
        'Events that were given up, by reason.',
        each(({ name, dead }) =>
          dead.map(({ reason, count }) => ({ labels: { target: name, reason }, value: count })),
        ),
      ),
      gauge(
        'events_queue',
        'Events that wait for a target.',
        each(({ name, queued }) => [{ labels: { target: name }, value: queued }]),
      ),
      counter(
        'events_lost',
        'Events given up that could not be written to the dead-letter file either.',
        one(this.publisher.lost),
      ),
    ]
  }

  /** Delivers what can be delivered soon; the rest goes to the dead letters. */
  async stop(): Promise<void> {
    this.#unsubscribe()
    this.#calls.flush()
    await this.publisher.stop(FLUSH)
  }

  #number(name: string) {
    const number = this.#config().numbers.find((one) => one.name === name)
    return number && numberOfEvent(number)
  }
}

/** A number as events name it. */
export function numberOfEvent({ name, phoneNumber, phoneNumberId }: NumberConfig) {
  return { name, phoneNumber, phoneNumberId }
}
