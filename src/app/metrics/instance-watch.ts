import type { CallRegistry } from '../../calls/index.ts'
import type { Config } from '../../config/types.ts'
import type { HealthCheck, MetricFamily } from '../../http/index.ts'
import type { AnchorStatus } from '../../media/index.ts'
import { GraphMeter, type NumberSettingsState } from '../../settings/index.ts'
import { ThreadLoad, type ThreadLoadState } from '../../shared/thread-load.ts'
import { CallMetrics } from './call-metrics.ts'
import { graphFamilies } from './graph-metrics.ts'
import { configFamilies, threadFamilies } from './instance-metrics.ts'
import { NumberMetrics } from './number-metrics.ts'

/** What is asked for at a scrape. */
export interface ScrapeSources {
  checks: readonly HealthCheck[]
  /** State of a number's settings. */
  settings: (number: string) => NumberSettingsState | undefined
  media: AnchorStatus
  /** Load of the SIP server's thread. */
  sip: ThreadLoadState | undefined
}

/** What an instance counts for its metrics as it runs, in one place. Lives as long as the instance. */
export class InstanceWatch {
  readonly calls: CallMetrics
  readonly graph = new GraphMeter()
  readonly numbers = new NumberMetrics()
  readonly #config: () => Config
  readonly #load = new ThreadLoad()

  constructor(calls: CallRegistry, config: () => Config) {
    this.#config = config
    this.calls = new CallMetrics(calls, config)
  }

  families({ checks, settings, media, sip }: ScrapeSources): MetricFamily[] {
    const config = this.#config()
    return [
      ...this.calls.families(),
      ...graphFamilies(this.graph),
      ...this.numbers.families(config, settings),
      ...configFamilies(config, checks),
      ...threadFamilies(this.#load.take(), sip, media),
    ]
  }

  stop(): void {
    this.calls.stop()
    this.#load.stop()
  }
}
