import type { FastifyInstance } from 'fastify'
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client'
import type { MetricFamily, Operations } from './operations.ts'

const PREFIX = 'causeway_'

/**
 * `/metrics` in OpenMetrics. Families come from the instance when they are asked for, so nothing is
 * counted twice; process and event-loop figures come from prom-client. Labels never hold a phone
 * number or a Call-ID (contract section 4).
 */
export function metricsRoute(app: FastifyInstance, operations: Operations): void {
  const standing = new Registry<'application/openmetrics-text; version=1.0.0; charset=utf-8'>()
  standing.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  collectDefaultMetrics({ prefix: PREFIX, register: standing as unknown as Registry })

  app.get('/metrics', async (_request, reply) => {
    const families = await render(await operations.metrics())
    // Each part ends with the EOF mark of OpenMetrics; only the last may keep it.
    const text = families.replace(/# EOF\n$/, '') + (await standing.metrics())
    return reply.type(standing.contentType).send(text)
  })
  app.addHook('onClose', async () => standing.clear())
}

/** Families as OpenMetrics text. */
export async function render(families: readonly MetricFamily[]): Promise<string> {
  const registry = new Registry<'application/openmetrics-text; version=1.0.0; charset=utf-8'>()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
  for (const { name, help, type, samples } of families) {
    const labelNames = [...new Set(samples.flatMap((sample) => Object.keys(sample.labels)))]
    const registers = [registry as unknown as Registry]
    const options = { name: PREFIX + name, help, labelNames, registers }
    if (type === 'gauge') {
      const gauge = new Gauge(options)
      for (const { labels, value } of samples) gauge.set(labels, value)
    } else {
      const counter = new Counter(options)
      for (const { labels, value } of samples) counter.inc(labels, value)
    }
  }
  return registry.metrics()
}
