import type { FastifySchemaValidationError } from 'fastify/types/schema.js'
import { nearest } from '../../shared/nearest.ts'

/** One thing wrong with a request. */
export interface Problem {
  /** `script.after`; '' for the body itself. */
  path: string
  message: string
}

/** The findings of schema validation in words a person can act on. */
export function problemsOf(
  findings: readonly FastifySchemaValidationError[],
  schema: object,
): Problem[] {
  const problems: Problem[] = []
  for (const { instancePath, keyword, params, message } of findings) {
    const path = instancePath.slice(1).replaceAll('/', '.')
    problems.push({ path, message: explain(keyword, params, message, propertiesAt(schema, path)) })
  }
  return problems
}

function explain(
  keyword: string,
  params: Record<string, unknown>,
  message: string | undefined,
  known: string[],
): string {
  switch (keyword) {
    case 'additionalProperties': {
      const name = String(params['additionalProperty'])
      const close = nearest(name, known)
      const hint = close ? `; did you mean ${close}?` : `; known: ${known.join(', ')}`
      return `unknown property ${name}${hint}`
    }
    case 'required':
      return `${params['missingProperty']} is missing`
    case 'enum':
      return `must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`
    case 'type':
      return `must be ${params['type']}`
    default:
      return message ?? 'is invalid'
  }
}

/** Names of the properties a schema allows at a path. */
function propertiesAt(schema: object, path: string): string[] {
  type Node = { properties?: Record<string, Node>; items?: Node }
  let node: Node | undefined = schema as Node
  for (const part of path === '' ? [] : path.split('.')) {
    node = /^\d+$/.test(part) ? node?.items : node?.properties?.[part]
  }
  return Object.keys(node?.properties ?? {})
}
