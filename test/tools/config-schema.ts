/** Writes config/causeway.schema.json from the zod schema: `node test/tools/config-schema.ts`. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { formatJsonSchema } from '../../src/config/index.ts'

/** Where the schema lies, from the top of the repository. */
export const SCHEMA_FILE = 'config/causeway.schema.json'

if (import.meta.main) {
  writeFileSync(SCHEMA_FILE, formatJsonSchema())
  spawnSync('node_modules/.bin/biome', ['format', '--write', SCHEMA_FILE], { stdio: 'inherit' })
}
