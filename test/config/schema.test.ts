import { readFileSync } from 'node:fs'
import t from 'tap'
import { formatJsonSchema, jsonSchema } from '../../src/config/index.ts'
import { SECRET_KEYS } from '../../src/config/mask.ts'
import { fileSchema } from '../../src/config/schema/index.ts'
import { factsAt, keyPaths } from '../../src/config/schema-walk.ts'
import { SCHEMA_FILE } from '../tools/config-schema.ts'

t.test('the shipped JSON Schema is the schema', async (t) => {
  const shipped = JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))
  t.same(shipped, jsonSchema(), `${SCHEMA_FILE} is stale: run node test/tools/config-schema.ts`)
  t.same(JSON.parse(formatJsonSchema()), jsonSchema())
})

t.test('every key explains itself to the editor', async (t) => {
  const visit = (node: Record<string, unknown>, path: string): void => {
    for (const [key, child] of Object.entries(node['properties'] ?? {})) {
      t.ok(child.description, `${path}${key} has a description`)
      visit(child, `${path}${key}.`)
      if (child.items) visit(child.items, `${path}${key}[].`)
    }
    if (node['properties']) t.equal(node['additionalProperties'], false, `${path} is closed`)
  }
  visit(jsonSchema(), '')
})

t.test('numbers, truth values and words may be variables for the editor too', async (t) => {
  const text = JSON.stringify(jsonSchema())
  t.match(text, /"anyOf":\[\{"type":"boolean"\},\{"type":"string","pattern":"\\\\\$\\\\\{"\}\]/)
  t.notMatch(text, /\{"description":"[^"]*","default":true,"type":"boolean"/)
})

t.test('every secret of the schema is known to the masks, and has a file twin', async (t) => {
  const paths = keyPaths(fileSchema)
  const secrets = paths.filter((path) => {
    const steps = path
      .replaceAll('[]', '.0')
      .split('.')
      .map((step) => (step === '0' ? 0 : step))
    return factsAt(fileSchema, steps)?.secret && path !== 'sip.server'
  })
  t.equal(secrets.length, 13)
  for (const path of secrets) {
    t.ok(SECRET_KEYS.has(path.split('.').at(-1)!), `${path} is masked`)
    t.ok(paths.includes(`${path}_file`), `${path}_file exists`)
  }
})
