import type { Context, Tracer } from '@opentelemetry/api'
import { type HrTime, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { CallListener, CallRecord } from '../calls/index.ts'
import type { TelemetryConfig } from '../config/types.ts'
import { type Clock, delay } from '../shared/clock.ts'
import type { Logger } from '../shared/log.ts'
import { CountingExporter, type SpanCounters } from './exporter.ts'
import { planOf, type SpanPlan } from './plan.ts'

/** Spans that may wait for the collector; more are dropped. */
const QUEUE = 4096
/** Spans of one POST. */
const BATCH = 512
/** How long a span waits for others, milliseconds. */
const EVERY = 2000
/** How long the POSTs of one batch may take, its tries together, milliseconds. */
const PATIENCE = 5000
/** How long the last POST may take when the process stops, milliseconds. */
const FAREWELL = 3000

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
} as const

/** Where spans go, and who made them. */
export interface TelemetryOptions {
  config: TelemetryConfig
  version: string
  clock: Clock
  log: Logger
  /** Milliseconds the POSTs of one batch may take; 5000 when absent. */
  patience?: number
}

/** Traces of calls for an OpenTelemetry collector, each made when its call has ended. */
export class Telemetry implements CallListener {
  readonly counters: SpanCounters = { made: 0, exported: 0, failed: 0 }
  readonly #options: TelemetryOptions
  readonly #provider: TracerProvider
  readonly #tracer: Tracer

  constructor(options: TelemetryOptions) {
    const { config, version, log, patience = PATIENCE } = options
    const { endpoint, serviceName, sample } = config
    this.#options = options
    const exporter = new OTLPTraceExporter({
      url: `${endpoint}/v1/traces`,
      headers: headersOf(config),
      timeoutMillis: patience,
    })
    const processor = new BatchSpanProcessor({
      exporter: new CountingExporter(exporter, this.counters, endpoint, log),
      maxQueueSize: QUEUE,
      maxExportBatchSize: BATCH,
      scheduledDelayMillis: EVERY,
      exportTimeoutMillis: patience,
    })
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName, 'service.version': version }),
      sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(sample) }),
      spanProcessors: [processor],
    })
    this.#tracer = this.#provider.getTracer('causeway', version)
  }

  /** Makes the trace of a call. A fault in it is logged: the call is over, and others go on. */
  ended(record: CallRecord): void {
    const { config, log } = this.#options
    try {
      this.#make(planOf(record, config.numbers), ROOT_CONTEXT)
    } catch (err) {
      log.error({ err, call: record.id }, 'no spans of a call')
    }
  }

  /** Sends what waits, for three seconds at most. */
  async stop(): Promise<void> {
    const over = this.#provider.shutdown().catch(() => undefined)
    await Promise.race([over, delay(this.#options.clock, FAREWELL)])
  }

  #make(plan: SpanPlan, parent: Context): void {
    const { name, kind, start, end, attributes, error, children } = plan
    const startTime = hrTime(start)
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], startTime, attributes }, parent)
    if (span.isRecording()) this.counters.made++
    if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error })
    const context = trace.setSpan(parent, span)
    for (const child of children) this.#make(child, context)
    span.end(hrTime(end))
  }
}

function headersOf({ token, header }: TelemetryConfig): Record<string, string> {
  if (!token) return {}
  const value = token.reveal()
  return header === undefined ? { Authorization: `Bearer ${value}` } : { [header]: value }
}

function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}
