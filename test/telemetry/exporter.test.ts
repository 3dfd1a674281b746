import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace'
import t from 'tap'
import { createLogger } from '../../src/shared/log.ts'
import { CountingExporter } from '../../src/telemetry/exporter.ts'

t.test('a collector that goes away is told of once, and once that it is back', async (t) => {
  const lines: { msg: string; level: number }[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  let code = 0
  const inner = {
    export: (_spans, done) => done({ code, ...(code === 0 ? {} : { error: new Error('away') }) }),
    shutdown: async () => {},
  } satisfies SpanExporter
  const counters = { made: 0, exported: 0, failed: 0 }
  const exporter = new CountingExporter(inner, counters, 'http://collector.example', log)
  const spans = [{}, {}] as ReadableSpan[]
  for (code of [0, 1, 1, 1, 0, 0]) exporter.export(spans, () => {})
  t.match(
    lines,
    [
      { level: 40, msg: 'spans are lost', err: { code: 'APP_TELEMETRY_UNREACHABLE' } },
      { level: 30, msg: 'spans are exported again' },
    ],
    'one line each',
  )
  t.equal(lines.length, 2)
  t.same(counters, { made: 0, exported: 6, failed: 6 })
})
