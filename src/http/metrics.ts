import type { FastifyInstance } from 'fastify'
import { collectDefaultMetrics, Registry } from 'prom-client'
import { CONTENT_TYPES, chooseExposition, expose } from './exposition.ts'
import type { MetricFamily, Operations, Sample } from './operations.ts'

const PREFIX = 'causeway_'

/**
 * `/metrics` in OpenMetrics; in the text format before it for a client that accepts nothing newer.
 * Families come from the instance when they are asked for, so nothing is counted twice; process and
 * event-loop figures come from prom-client. Labels never hold a phone number or a Call-ID (contract
 * section 4).
 */
export function metricsRoute(app: FastifyInstance, operations: Operations): void {
  const standing = new Registry()
  collectDefaultMetrics({ register: standing })

  app.get('/metrics', async (request, reply) => {
    const format = chooseExposition(request.headers.accept)
    const families = [...(await operations.metrics()), ...(await processFamilies(standing))]
    return reply
      .header('vary', 'accept')
      .type(CONTENT_TYPES[format])
      .send(expose(families, PREFIX, format))
  })
  app.addHook('onClose', async () => standing.clear())
}

/** Families as OpenMetrics text, with the prefix. */
export function render(families: readonly MetricFamily[]): string {
  return expose(families, PREFIX)
}

/** What prom-client counts, as families of ours. */
async function processFamilies(standing: Registry): Promise<MetricFamily[]> {
  const metrics = await standing.getMetricsAsJSON()
  return metrics.flatMap(({ name, help, type: kind, values }): MetricFamily[] => {
    const type = String(kind)
    if (type !== 'gauge' && type !== 'counter' && type !== 'histogram') return []
    const samples = (values as { metricName?: string; labels: object; value: number }[]).map(
      ({ metricName, labels, value }): Sample => ({
        labels: Object.fromEntries(Object.entries(labels).map(([key, of]) => [key, String(of)])),
        value,
        ...(type === 'histogram' ? { part: partOf(metricName) } : {}),
      }),
    )
    return [{ name: type === 'counter' ? name.replace(/_total$/, '') : name, help, type, samples }]
  })
}

function partOf(name: string | undefined): 'bucket' | 'sum' | 'count' {
  return name?.endsWith('_bucket') ? 'bucket' : name?.endsWith('_sum') ? 'sum' : 'count'
}
