import type { FastifyInstance } from 'fastify'
import type { CheckStatus, HealthCheck, Operations } from './operations.ts'

/** Whether new calls can be taken, and if not, why. */
export function readiness(checks: readonly HealthCheck[]): { ready: boolean; reasons: string[] } {
  const reasons = checks
    .filter((check) => !check.ready)
    .map((check) => `${check.component} ${check.id}: ${check.output}`)
  return { ready: reasons.length === 0, reasons }
}

/**
 * The status of the process: `fail` when a fault keeps calls away, `warn` when any check is not a
 * pass (one failing number or trunk does not stop the others; draining is wanted), else `pass`.
 */
export function overall(checks: readonly HealthCheck[]): CheckStatus {
  if (checks.some((check) => !check.ready && check.status === 'fail')) return 'fail'
  return checks.every((check) => check.status === 'pass') ? 'pass' : 'warn'
}

/** The checks grouped by component, as health+json wants them. */
function grouped(checks: readonly HealthCheck[], time: string): Record<string, object[]> {
  const groups: Record<string, object[]> = {}
  for (const { component, id, status, output, observedValue, observedUnit } of checks) {
    groups[component] ??= []
    groups[component].push({
      componentId: id,
      componentType: component,
      status,
      output,
      observedValue,
      observedUnit,
      time,
    })
  }
  return groups
}

/** `/livez`, `/readyz` and `/healthz` (contract section 4); never behind the token. */
export function healthRoutes(app: FastifyInstance, operations: Operations): void {
  app.get('/livez', async () => ({ alive: true }))

  app.get('/readyz', async (_request, reply) => {
    const result = readiness(operations.checks())
    return reply.code(result.ready ? 200 : 503).send(result)
  })

  app.get('/healthz', async (_request, reply) => {
    const checks = operations.checks()
    const status = overall(checks)
    const body = {
      status,
      serviceId: 'causeway',
      releaseId: operations.version,
      checks: grouped(checks, new Date().toISOString()),
    }
    return reply
      .code(status === 'fail' ? 503 : 200)
      .type('application/health+json')
      .send(JSON.stringify(body))
  })
}
