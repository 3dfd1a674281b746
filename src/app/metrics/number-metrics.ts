import type { Config } from '../../config/types.ts'
import type { MetricFamily, Sample } from '../../http/index.ts'
import type { JournalSink, NumberSettingsState } from '../../settings/index.ts'
import { counter, gauge } from './families.ts'

/** Counts what is done about the settings of the numbers. Lives as long as the instance. */
export class NumberMetrics {
  readonly #writes = new Map<string, { number: string; who: string; count: number }>()
  readonly #checkedAt = new Map<string, number>()

  /** A journal that counts the writes WhatsApp took, and hands everything on. */
  counting(journal: JournalSink): JournalSink {
    return {
      record: (note) => {
        if (note.action === 'write' && note.error === undefined) this.#wrote(note.number, note.who)
        journal.record(note)
      },
    }
  }

  /** The settings of a number were looked at. */
  looked(number: string, { status, lastChecked }: NumberSettingsState): void {
    const read = status === 'ok' || status === 'drift'
    if (read && lastChecked !== undefined) this.#checkedAt.set(number, lastChecked)
  }

  families(
    config: Config,
    state: (number: string) => NumberSettingsState | undefined,
  ): MetricFamily[] {
    const byNumber = (pick: (number: string) => number | undefined): Sample[] =>
      config.numbers.flatMap(({ name: number }): Sample[] => {
        const value = pick(number)
        return value === undefined ? [] : [{ labels: { number }, value }]
      })
    return [
      gauge(
        'number_drift',
        'Whether the settings of a number differ from the configuration.',
        byNumber((number) => ((state(number)?.drift.length ?? 0) > 0 ? 1 : 0)),
      ),
      gauge(
        'number_failing',
        'Whether the settings of a number could not be read or written.',
        byNumber((number) => (state(number)?.status === 'failed' ? 1 : 0)),
      ),
      gauge(
        'number_checked_timestamp_seconds',
        'When the settings of a number were last compared, Unix time.',
        byNumber((number) => {
          const at = this.#checkedAt.get(number)
          return at === undefined ? undefined : at / 1000
        }),
      ),
      counter(
        'number_settings_writes',
        'Writes to the settings of a number, by what caused them.',
        [...this.#writes.values()].map(({ number, who, count }) => ({
          labels: { number, who },
          value: count,
        })),
      ),
    ]
  }

  #wrote(number: string, who: string): void {
    const key = `${who} ${number}`
    const known = this.#writes.get(key)
    if (known) known.count++
    else this.#writes.set(key, { number, who, count: 1 })
  }
}
