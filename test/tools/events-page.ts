/**
 * Writes config/events.schema.json from the zod schema of the events, and the lists of fields in
 * docs/reference/events.md: `node test/tools/events-page.ts`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { eventJsonSchema } from '../../src/events/index.ts'

/** Where they lie, from the top of the repository. */
export const EVENTS_SCHEMA = 'config/events.schema.json'
export const EVENTS_PAGE = 'docs/reference/events.md'

interface Node {
  type?: string
  title?: string
  description?: string
  enum?: unknown[]
  anyOf?: Node[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
}

/** The page with its lists of types and fields renewed, between `<!-- fields: … -->` and `<!-- end -->`. */
export function withFields(page: string): string {
  const { oneOf: events = [] } = eventJsonSchema() as { oneOf?: Node[] }
  const byType = new Map(events.map((event) => [event.title!, event]))
  const lists: Record<string, () => string[]> = {
    types: () => [
      '| type | |',
      '|---|---|',
      ...events.map(({ title, description }) => `| \`${title}\` | ${description} |`),
    ],
    envelope: () => fields(without(byType.get('call.started')!, 'data'), ''),
    call: () => fields(byType.get('call.started')!.properties!['data']!, 'data.'),
  }
  return page.replace(
    /(<!-- fields: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, end: string) => {
      const list = lists[name] ?? (() => own(byType, name))
      return `${open}\n${list().join('\n')}\n\n${end}`
    },
  )
}

/** The fields of one type beyond those of every call. */
function own(byType: Map<string, Node>, type: string): string[] {
  const data = byType.get(type)?.properties?.['data']
  if (!data) throw new Error(`there is no event ${type}`)
  const common = byType.get('call.started')!.properties!['data']!.properties!
  const names = type.startsWith('call.') ? Object.keys(common) : []
  return fields(without(data, ...names), 'data.')
}

function without(node: Node, ...names: string[]): Node {
  const kept = Object.entries(node.properties ?? {}).filter(([name]) => !names.includes(name))
  return { ...node, properties: Object.fromEntries(kept) }
}

function fields(node: Node, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix + name
    const may = node.required?.includes(name) ? '' : ', may be absent'
    const line = `- \`${path}\` (${kind(child)}${may}): ${child.description ?? ''}`
    return [line, ...fields(child, `${path}.`), ...fields(child.items ?? {}, `${path}[].`)]
  })
}

function kind(node: Node): string {
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(' | ')
  if (node.type === 'array')
    return `list of ${node.items?.type === 'object' ? 'objects' : 'values'}`
  if (node.type === 'integer') return 'number'
  return node.type ?? 'any'
}

if (import.meta.main) {
  writeFileSync(EVENTS_SCHEMA, `${JSON.stringify(eventJsonSchema(), null, 2)}\n`)
  spawnSync('node_modules/.bin/biome', ['format', '--write', EVENTS_SCHEMA], { stdio: 'inherit' })
  writeFileSync(EVENTS_PAGE, withFields(readFileSync(EVENTS_PAGE, 'utf8')))
}
