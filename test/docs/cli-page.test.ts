import { readFileSync } from 'node:fs'
import t from 'tap'
import { verbs } from '../../src/cli/verbs/index.ts'
import { CLI_PAGE, cliPage } from '../tools/cli-page.ts'

const page = readFileSync(CLI_PAGE, 'utf8')

t.test('the page of verbs names each of them, and no other', async (t) => {
  const named = [...page.matchAll(/^## causeway (.+)$/gm)].map(([, name]) => name)
  t.same(named, Object.keys(verbs))
})

t.test('the page is the help of the verbs', async (t) => {
  t.ok(page === (await cliPage()), `${CLI_PAGE} is stale: run node test/tools/cli-page.ts`)
})
