import { z } from 'zod'
import { fileSchema } from './schema/index.ts'

/** Where a reference to a variable may stand for a number, truth value or word. */
const REFERENCE = { type: 'string', pattern: '\\$\\{' } as const

/** The JSON Schema (draft 2020-12) of the file, for editors; generated from the zod schema. */
export function jsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    override: ({ zodSchema, jsonSchema }) => {
      const { examples } = z.globalRegistry.get(zodSchema) ?? {}
      if (Array.isArray(examples)) jsonSchema.examples = examples
      const { type, minimum, maximum, enum: words } = jsonSchema
      if (type !== 'integer' && type !== 'boolean' && words === undefined) return
      if (jsonSchema.anyOf) return
      const own = { type, minimum, maximum, enum: words }
      for (const key of ['type', 'minimum', 'maximum', 'enum'] as const) delete jsonSchema[key]
      jsonSchema.anyOf = [JSON.parse(JSON.stringify(own)), { ...REFERENCE }]
    },
  })
  const { $schema, ...rest } = schema
  return { $schema, title: 'Causeway configuration', ...rest }
}

/** {@link jsonSchema} as it is shipped in `config/causeway.schema.json`. */
export function formatJsonSchema(): string {
  return `${JSON.stringify(jsonSchema(), null, 2)}\n`
}
