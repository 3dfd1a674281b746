import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'

type Done = Parameters<SpanExporter['export']>[1]

/** What became of spans. */
export interface SpanCounters {
  /** Handed to the batch; of them those neither exported nor failed wait, or had no room. */
  made: number
  exported: number
  failed: number
}

/** An exporter that counts, and says once when the collector goes away and once when it is back. */
export class CountingExporter implements SpanExporter {
  readonly #inner: SpanExporter
  readonly #counters: SpanCounters
  readonly #endpoint: string
  readonly #log: Logger
  #away = false

  constructor(inner: SpanExporter, counters: SpanCounters, endpoint: string, log: Logger) {
    this.#inner = inner
    this.#counters = counters
    this.#endpoint = endpoint
    this.#log = log
  }

  export(spans: ReadableSpan[], done: Done): void {
    this.#inner.export(spans, (result) => {
      // ExportResultCode.SUCCESS
      if (result.code === 0) this.#taken(spans.length)
      else this.#refused(spans.length, result.error)
      done(result)
    })
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve()
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown()
  }

  #taken(count: number): void {
    this.#counters.exported += count
    if (this.#away) this.#log.info({ endpoint: this.#endpoint }, 'spans are exported again')
    this.#away = false
  }

  #refused(count: number, error: Error | undefined): void {
    this.#counters.failed += count
    if (this.#away) return
    this.#away = true
    const detail = `${this.#endpoint}: ${error?.message ?? 'no reason given'}`
    const err = new CausewayError('APP_TELEMETRY_UNREACHABLE', { detail })
    this.#log.warn({ err }, 'spans are lost')
  }
}
