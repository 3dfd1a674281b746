/** Rewrites the lists of keys in docs/reference/configuration.md: `node test/tools/configuration-page.ts`. */
import { readFileSync, writeFileSync } from 'node:fs'
import { jsonSchema } from '../../src/config/index.ts'

/** Where the page lies, from the top of the repository. */
export const CONFIGURATION_PAGE = 'docs/reference/configuration.md'

interface Node {
  type?: string
  description?: string
  default?: unknown
  examples?: unknown[]
  enum?: unknown[]
  const?: unknown
  anyOf?: Node[]
  items?: Node
  properties?: Record<string, Node>
  required?: string[]
}

/** The page with the keys of every section between its `<!-- keys: … -->` marks renewed. */
export function withKeys(page: string): string {
  const { properties = {} } = jsonSchema() as Node
  return page.replace(
    /(<!-- keys: (\w+) -->\n)[\s\S]*?(<!-- end -->)/g,
    (_, open: string, section: string, end: string) => {
      const node = properties[section]
      if (!node) throw new Error(`the schema has no section ${section}`)
      const top = node.items ? `${section}[]` : section
      return `${open}\n${entries(node.items ?? node, top).join('\n')}\n\n${end}`
    },
  )
}

/** A line for each key: path, type, default, meaning, example. */
function entries(node: Node, prefix: string): string[] {
  return Object.entries(node.properties ?? {}).flatMap(([key, child]) => {
    const path = `${prefix}.${key}`
    const required = node.required?.includes(key) ?? false
    const facts = [kind(child), standard(child, required)].filter(Boolean).join(', ')
    const own = `- \`${path}\` (${facts}): ${meaning(child)}`
    const { items } = child.items ? child : (child.anyOf?.find((option) => option.items) ?? child)
    const inner = items?.properties ? items : items?.anyOf?.find((option) => option.properties)
    const mapping = child.anyOf?.find((option) => option.properties)
    return [own, ...entries(mapping ?? child, path), ...(inner ? entries(inner, `${path}[]`) : [])]
  })
}

function kind(node: Node): string {
  if (node.anyOf) {
    const kinds = node.anyOf
      .filter((option) => !('pattern' in option))
      .map((option) => (option.const === undefined ? kind(option) : `\`${option.const}\``))
    return [...new Set(kinds)].join(' or ')
  }
  if (node.enum) return node.enum.map((word) => `\`${word}\``).join(' | ')
  if (node.type === 'array') {
    if (node.items?.properties) return 'list of mappings'
    return `list of ${node.items ? kind(node.items) : 'values'}`
  }
  if (node.type === 'object') return 'mapping'
  if (node.type === 'integer') return 'number'
  return node.type ?? 'any'
}

function standard(node: Node, required: boolean): string {
  if (required) return '**required**'
  if (node.default === undefined || node.properties) return ''
  return `default \`${inline(node.default)}\``
}

function meaning(node: Node): string {
  const example = node.examples?.[0]
  const text = node.description ?? ''
  return example === undefined ? text : `${text} Example: \`${inline(example)}\``
}

/** A value in YAML's flow style. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (typeof value === 'object' && value !== null) {
    const pairs = Object.entries(value).map(([key, item]) => `${key}: ${inline(item)}`)
    return `{ ${pairs.join(', ')} }`
  }
  const text = String(value)
  return typeof value === 'string' && /^\+?\d+$|^\{/.test(text) ? `"${text}"` : text
}

if (import.meta.main) {
  writeFileSync(CONFIGURATION_PAGE, withKeys(readFileSync(CONFIGURATION_PAGE, 'utf8')))
}
