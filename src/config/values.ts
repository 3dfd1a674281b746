import { z } from 'zod'
import { nearest } from '../shared/nearest.ts'
import { ConfigIssue } from './issue.ts'
import { fileSchema } from './schema/index.ts'
import { unwrap } from './schema-walk.ts'
import type { Path, StringPlace, YamlSource } from './source.ts'
import { expand } from './variables.ts'

/** Expands the variables in every string of the file; unset and malformed ones are returned as errors. */
export function expandVariables(
  source: YamlSource,
  env: Record<string, string | undefined>,
): ConfigIssue[] {
  const issues: ConfigIssue[] = []
  source.mapStrings((text, place) => {
    const expansion = expand(text, env)
    for (const { kind, name } of expansion.problems) {
      issues.push(kind === 'unset' ? unset(name, place) : malformed(name, place))
    }
    return expansion.text
  })
  return issues

  function unset(name: string, { path, find }: StringPlace): ConfigIssue {
    return new ConfigIssue('CONFIG_VARIABLE_UNSET', source, {
      path,
      position: find(`\${${name}}`),
      detail: name,
      found: `\${${name}}, which is not set`,
      expected: `${name} in the environment, or \${${name}:-default}`,
      nearest: nearest(name, Object.keys(env)),
    })
  }

  function malformed(reference: string, { path, find }: StringPlace): ConfigIssue {
    return new ConfigIssue('CONFIG_VARIABLE_SYNTAX', source, {
      path,
      position: find(reference),
      detail: 'only a name and a default after :- may stand in the braces',
      found: 'a reference of another form',
      expected: `\${NAME} or \${NAME:-default}`,
    })
  }
}

/**
 * Two courtesies before validation: an unquoted `${VAR}` where a number or truth value belongs becomes
 * one, and an empty section (all its keys commented out) counts as absent where it has defaults.
 */
export function adaptValues(root: unknown, source: YamlSource): unknown {
  return adapt(root, fileSchema, [], source)
}

function adapt(value: unknown, schema: z.ZodType, path: Path, source: YamlSource): unknown {
  const bare = unwrap(schema)
  if (typeof value === 'string' && (bare instanceof z.ZodNumber || bare instanceof z.ZodBoolean)) {
    const written = source.written(path)
    return written?.plain && written.text.includes(`\${`) ? convert(value, bare) : value
  }
  if (Array.isArray(value) && bare instanceof z.ZodArray) {
    const element = bare.element as z.ZodType
    return value.map((item, index) => adapt(item, element, [...path, index], source))
  }
  if (!isRecord(value)) return value
  const shape = bare instanceof z.ZodObject ? (bare.shape as Record<string, z.ZodType>) : {}
  const result: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    const child = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (item === null && child instanceof z.ZodPrefault && isSection(child)) continue
    result[key] = child ? adapt(item, child, [...path, key], source) : item
  }
  return result
}

function convert(text: string, schema: z.ZodNumber | z.ZodBoolean): unknown {
  if (schema instanceof z.ZodBoolean) {
    return text === 'true' ? true : text === 'false' ? false : text
  }
  return /^-?\d+$/.test(text) ? Number(text) : text
}

function isSection(schema: z.ZodType): boolean {
  const bare = unwrap(schema)
  return bare instanceof z.ZodObject || bare instanceof z.ZodArray
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
