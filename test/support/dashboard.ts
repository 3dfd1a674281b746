import { readFileSync } from 'node:fs'

export const DASHBOARD = 'docker/grafana/causeway.json'

/** A query of a panel. */
export interface Target {
  refId: string
  datasource: { type: string; uid: string }
  expr: string
  legendFormat: string
}

/** A panel of the dashboard, the parts that are looked at. */
export interface Panel {
  id: number
  type: string
  title: string
  description?: string
  datasource?: { type: string; uid: string }
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: Target[]
  fieldConfig?: { defaults: { unit?: string; thresholds?: { steps: { value: number | null }[] } } }
}

/** A variable of the dashboard. */
export interface Variable {
  name: string
  type: string
  query: string | { query: string }
  datasource?: { uid: string }
}

/** The dashboard, the parts that are looked at. */
export interface Dashboard {
  uid: string
  title: string
  panels: Panel[]
  templating: { list: Variable[] }
  annotations: { list: { name: string; expr: string; datasource: { uid: string } }[] }
}

export function readDashboard(): Dashboard {
  return JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard
}

/** Every expression of the dashboard with Grafana's own variables filled in, as Prometheus gets it. */
export function dashboardExpressions(): { place: string; expr: string }[] {
  const { panels, annotations } = readDashboard()
  const own = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ place: `${title} ${refId}`, expr })),
  )
  const marks = annotations.list.map(({ name, expr }) => ({ place: `mark ${name}`, expr }))
  return [...own, ...marks].map(({ place, expr }) => ({
    place,
    expr: expr
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$__range', '3h')
      .replace(/\$(?:job|instance|number|trunk)\b/g, '.*'),
  }))
}
