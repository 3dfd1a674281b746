import { readFileSync } from 'node:fs'
import t from 'tap'
import { httpFixture } from '../http/support.ts'

const page = readFileSync('docs/reference/http.md', 'utf8')

/** `GET /api/v1/calls/:id` for each route there is. */
async function routes(): Promise<string[]> {
  const { app } = httpFixture({}, undefined, {
    path: () => '/webhooks/whatsapp',
    bodyLimit: 1,
    handshake: () => undefined,
    receive: () => 'forged',
    tooLarge: () => {},
  })
  await app.ready()
  const stack: string[] = []
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const found = /^(.*?)(\/\S*) \(([A-Z, ]+)\)/.exec(line)
      if (!found) return []
      const [, lead, path, methods] = found as unknown as [string, string, string, string]
      const depth = lead.length / 4 - 1
      stack.splice(depth, Number.POSITIVE_INFINITY, path)
      const whole = stack.join('')
      return (
        methods
          .split(', ')
          .filter((method) => method !== 'HEAD')
          // Where the configured path of the webhooks leads.
          .map((method) => `${method} ${whole.replace('/-/webhooks', '/webhooks/whatsapp')}`)
      )
    })
}

t.test('the page of the HTTP interface names every route, and no other', async (t) => {
  const named = [...page.matchAll(/^\| `([A-Z]+ \/[^`]*)` \|/gm)].map(([, route]) => route)
  t.same(named.sort(), (await routes()).sort())
})

t.test('its samples are JSON', async (t) => {
  const samples = [...page.matchAll(/^```json\n([\s\S]*?)^```/gm)].map(([, text]) => text!)
  t.ok(samples.length >= 5)
  for (const sample of samples) t.doesNotThrow(() => JSON.parse(sample), sample)
})
