/** OpenTelemetry: one trace for each call. Imported only when it is configured. */

export type { SpanCounters } from './exporter.ts'
export { Telemetry, type TelemetryOptions } from './telemetry.ts'
