/**
 * Writes config/record.schema.json from the zod schema of the records, and the lists of fields and columns in
 * docs/reference/records.md: `node test/tools/records-page.ts`.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { CSV_COLUMNS, recordJsonSchema } from '../../src/records/index.ts'

/** Where they lie, from the top of the repository. */
export const RECORD_SCHEMA = 'config/record.schema.json'
export const RECORDS_PAGE = 'docs/reference/records.md'

interface Node {
  type?: string
  description?: string
  const?: unknown
  enum?: unknown[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
}

/** The page with its lists renewed, between `<!-- fields -->` or `<!-- columns -->` and `<!-- end -->`. */
export function withLists(page: string): string {
  const lists: Record<string, () => string> = {
    fields: () => fields(recordJsonSchema() as Node, '').join('\n'),
    columns: () => `\`\`\`text\n${Object.keys(CSV_COLUMNS).join('\n')}\n\`\`\``,
  }
  return page.replace(
    /(<!-- (fields|columns) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, name: string, end: string) => `${open}\n${lists[name]!()}\n\n${end}`,
  )
}

function fields(node: Node, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix + name
    const may = node.required?.includes(name) ? '' : ', may be absent'
    const line = `- \`${path}\` (${kind(child)}${may})${child.description ? `: ${child.description}` : ''}`
    return [line, ...fields(child, `${path}.`), ...fields(child.items ?? {}, `${path}[].`)]
  })
}

function kind(node: Node): string {
  if (node.const !== undefined) return `\`${node.const}\``
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(' | ')
  if (node.type === 'array') return 'list of objects'
  return node.type === 'integer' ? 'number' : (node.type ?? 'any')
}

if (import.meta.main) {
  writeFileSync(RECORD_SCHEMA, `${JSON.stringify(recordJsonSchema(), null, 2)}\n`)
  spawnSync('node_modules/.bin/biome', ['format', '--write', RECORD_SCHEMA], { stdio: 'inherit' })
  writeFileSync(RECORDS_PAGE, withLists(readFileSync(RECORDS_PAGE, 'utf8')))
}
