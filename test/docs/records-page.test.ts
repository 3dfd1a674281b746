import { readFileSync } from 'node:fs'
import t from 'tap'
import { recordJsonSchema } from '../../src/records/index.ts'
import { RECORD_SCHEMA, RECORDS_PAGE, withLists } from '../tools/records-page.ts'

const stale = 'is stale: run node test/tools/records-page.ts'

t.test('the shipped JSON Schema of the records is the schema', async (t) => {
  const shipped = JSON.parse(readFileSync(RECORD_SCHEMA, 'utf8'))
  t.same(shipped, JSON.parse(JSON.stringify(recordJsonSchema())), `${RECORD_SCHEMA} ${stale}`)
})

t.test('the page of records is the schema', async (t) => {
  const page = readFileSync(RECORDS_PAGE, 'utf8')
  t.ok(withLists(page) === page, `${RECORDS_PAGE} ${stale}`)
  t.match(page, '- `callIds.pbx` (string, may be absent): ')
})

t.test('the schema is open for fields to come', async (t) => {
  t.notMatch(JSON.stringify(recordJsonSchema()), /additionalProperties":false/)
})
