import { readFileSync } from 'node:fs'
import t from 'tap'
import { EVENT_TYPES } from '../../src/config/types.ts'
import { eventJsonSchema, eventSchema } from '../../src/events/index.ts'
import { blocksOf } from '../support/markdown.ts'
import { EVENTS_PAGE, EVENTS_SCHEMA, withFields } from '../tools/events-page.ts'

const stale = 'is stale: run node test/tools/events-page.ts'

t.test('the shipped JSON Schema of the events is the schema', async (t) => {
  const shipped = JSON.parse(readFileSync(EVENTS_SCHEMA, 'utf8'))
  t.same(shipped, JSON.parse(JSON.stringify(eventJsonSchema())), `${EVENTS_SCHEMA} ${stale}`)
})

t.test('the page of events is the schema', async (t) => {
  const page = readFileSync(EVENTS_PAGE, 'utf8')
  t.ok(withFields(page) === page, `${EVENTS_PAGE} ${stale}`)
  for (const type of EVENT_TYPES) t.match(page, `| \`${type}\` | `, type)
})

t.test('its sample is an event', async (t) => {
  const [sample] = blocksOf(EVENTS_PAGE, 'json')
  t.same(eventSchema.safeParse(JSON.parse(sample!)).error?.issues ?? [], [])
})

t.test('the schema is open for fields to come', async (t) => {
  t.notMatch(JSON.stringify(eventJsonSchema()), /additionalProperties":false/)
})
