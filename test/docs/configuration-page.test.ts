import { readFileSync } from 'node:fs'
import t from 'tap'
import { fileSchema } from '../../src/config/schema/index.ts'
import { keyPaths } from '../../src/config/schema-walk.ts'
import { CONFIGURATION_PAGE, withKeys } from '../tools/configuration-page.ts'

const page = readFileSync(CONFIGURATION_PAGE, 'utf8')

t.test('the configuration reference is the schema', async (t) => {
  const stale = `${CONFIGURATION_PAGE} is stale: run node test/tools/configuration-page.ts`
  t.ok(withKeys(page) === page, stale)
})

t.test('the configuration reference names every key', async (t) => {
  for (const path of keyPaths(fileSchema)) {
    const named = path.includes('.') ? `- \`${path}\` (` : `## \`${path}\``
    t.ok(page.includes(named), path)
  }
})
