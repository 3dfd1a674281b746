import type { CallRecord, CallRegistry, WhatsAppReport } from '../calls/index.ts'
import type { Config } from '../config/types.ts'
import type { HealthCheck, MetricFamily, StoredCalls } from '../http/index.ts'
import { type CallHint, CallHistory, PUSH_DELAY, RecordPush } from '../records/index.ts'
import type { Clock } from '../shared/clock.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { counter, gauge, one } from './metrics/families.ts'

/** The records of calls in a running instance: what has ended is kept, found again, and looked after. */
export class CallRecords {
  readonly #calls: CallRegistry
  readonly #history: CallHistory | undefined
  readonly #push: RecordPush | undefined
  readonly #unsubscribe: () => void

  constructor(options: {
    config: Config
    calls: CallRegistry
    clock: Clock
    random: Random
    log: Logger
  }) {
    const { config, calls, clock, random, log } = options
    const { path: folder, calls: kept } = config.records
    const target = kept?.push
    const pushDelay = target && PUSH_DELAY
    this.#calls = calls
    this.#history = kept && new CallHistory({ folder, config: kept, clock, log, pushDelay })
    if (this.#history && target) {
      this.#push = new RecordPush({ history: this.#history, target, clock, random, log })
    }
    const keep = (record: CallRecord): void => {
      if (record.state === 'ended') this.#history?.add(record)
    }
    this.#unsubscribe = calls.subscribe({ ended: keep, reported: keep, told: keep })
  }

  /** For the HTTP interface; undefined when no history is kept. */
  get stored(): StoredCalls | undefined {
    const history = this.#history
    if (!history) return undefined
    return {
      page: (filter, options) => history.page(filter, options),
      count: (filter) => history.count(filter),
      get: (id) => history.get(id),
      export: (ask) => history.export(ask),
      forget: async (consumer) => {
        const inMemory = this.#calls.forget((record) => record.consumer === consumer)
        return Math.max(inMemory, await history.forget(consumer))
      },
    }
  }

  /**
   * Adds what WhatsApp's webhooks say to a call that is in memory no more.
   * @returns whether there is such a call
   */
  async tell(wacid: string, told: Partial<WhatsAppReport>, hint?: CallHint): Promise<boolean> {
    const record = await this.#history?.tell(wacid, told, hint)
    if (record) this.#calls.announce(record)
    return record !== undefined
  }

  /** A warning while calls are not written, and when some were lost or a damaged file was set aside. */
  checks(): HealthCheck[] {
    const status = this.#history?.status()
    if (!status) return []
    const { error, lost, waiting, aside } = status
    const outputs: string[] = []
    if (error) outputs.push(`${told(error)}; calls that wait: ${waiting}. ${error.fix}`)
    if (lost > 0) outputs.push(`APP_RECORDS_LOST: records lost since the start: ${lost}.`)
    if (aside) outputs.push(`${told(aside)}, now ${aside.place}. ${aside.fix}`)
    const failing = this.#push?.status().failing
    if (failing) outputs.push(`${told(failing)}. ${failing.fix}`)
    if (outputs.length === 0) return []
    const output = outputs.join(' ')
    return [{ component: 'records', id: 'calls', status: 'warn', output, ready: true }]
  }

  metrics(): MetricFamily[] {
    const status = this.#history?.status()
    // Without a history there is nothing to count.
    const each = (value: number | undefined) => (value === undefined ? [] : one(value))
    return [
      gauge('records_calls', 'Calls in the history.', each(status?.calls)),
      gauge('records_bytes', 'Size of the history on disk.', each(status?.bytes)),
      counter('records_lost', 'Records of calls that could not be written.', each(status?.lost)),
      counter(
        'records_pushed',
        'Attempts to deliver a record to records.push, by what they came to.',
        (this.#push?.status().attempts ?? []).map(({ result, count }) => ({
          labels: { result },
          value: count,
        })),
      ),
    ]
  }

  /** Writes what waits. */
  async close(): Promise<void> {
    this.#unsubscribe()
    await this.#push?.stop()
    await this.#history?.close()
  }
}

function told({ code, definition, detail }: CausewayError): string {
  return `${code}: ${definition.summary}${detail ? `, ${detail}` : ''}`
}
