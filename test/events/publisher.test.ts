import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EventTarget } from '../../src/config/types.ts'
import { DEAD_LETTERS, EventPublisher, eventSchema, type Post } from '../../src/events/index.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { SECRET } from './support.ts'

const target = (url: string, events?: EventTarget['events']): EventTarget => ({
  url,
  secret: SECRET,
  events,
})

function lab(t: Test, post?: Post) {
  const clock = new FakeClock()
  const posted: [string, Record<string, unknown>][] = []
  const folder = t.testdir()
  const publisher = new EventPublisher({
    folder,
    clock,
    random: new FakeRandom(),
    log: silentLogger(),
    post:
      post ??
      (async (url, _headers, body) => {
        posted.push([url, JSON.parse(body)])
        return { ok: true, status: 200 }
      }),
  })
  const drift = (name = 'support'): void =>
    publisher.publish({
      type: 'settings.drift',
      key: `settings ${name}`,
      number: { name, phoneNumber: '+441632960123', phoneNumberId: '1' },
      data: { differences: [{ path: 'calling.status', actual: 'DISABLED', desired: 'ENABLED' }] },
    })
  return { publisher, clock, posted, drift, folder }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('each target gets the types it wants, under one id', async (t) => {
  const { publisher, posted, drift, clock } = lab(t)
  publisher.configure([
    target('https://all.example.com/'),
    target('https://some.example.com/', ['settings.drift', 'call.ended']),
    target('https://calls.example.com/', ['call.ended']),
  ])
  t.equal(publisher.wants('call.started'), true)
  drift()
  t.same(
    posted.map(([url]) => url),
    ['https://all.example.com/', 'https://some.example.com/'],
  )
  const [first, second] = posted.map(([, event]) => event)
  t.same(first, second)
  t.same(eventSchema.safeParse(first).error?.issues ?? [], [])
  t.match(first, { version: 1, type: 'settings.drift', time: new Date(clock.now()).toISOString() })
})

t.test('without a target nothing is made', async (t) => {
  const { publisher, posted, drift } = lab(t)
  t.equal(publisher.wants('call.started'), false)
  drift()
  publisher.configure([target('https://calls.example.com/', ['call.ended'])])
  t.equal(publisher.wants('settings.drift'), false)
  drift()
  t.same(posted, [])
})

t.test('targets are named by host, and told apart', async (t) => {
  const { publisher } = lab(t)
  publisher.configure([
    target('https://crm.example.com/a?key=hidden'),
    target('https://crm.example.com/b'),
    target('https://crm.example.com/b'),
    target('http://127.0.0.1:8000/c'),
  ])
  t.same(
    publisher.status().map(({ name }) => name),
    ['crm.example.com', 'crm.example.com#2', 'crm.example.com#3', '127.0.0.1:8000'],
  )
})

t.test('a target that stays keeps what waits, one that goes gets it once more', async (t) => {
  const open: [string, (ok: boolean) => void][] = []
  const { publisher, drift, clock, folder } = lab(t, (url, _headers, _body, signal) => {
    return new Promise((resolve) => {
      const fail = { reason: 'stopped', status: undefined, detail: 'x', final: false } as const
      const end = (ok: boolean): void =>
        resolve(ok ? { ok, status: 200 } : { ok, ...fail, retryAfter: undefined })
      open.push([url, end])
      signal.addEventListener('abort', () => end(false))
    })
  })
  const [a, b] = [target('https://a.example.com/'), target('https://b.example.com/')]
  publisher.configure([a, b])
  drift()
  drift()
  t.equal(open.length, 2, 'one for each, the second waits')
  publisher.configure([{ ...a, events: ['settings.drift'] }])
  t.match(publisher.status(), [{ name: 'a.example.com', queued: 2 }])
  open[0]![1](true)
  await turn()
  t.equal(open.length, 3)
  t.equal(open[2]![0], a.url)
  const stopped = publisher.stop(5000)
  open[2]![1](true)
  await turn()
  clock.advance(10_000)
  await stopped
  const dead = readFileSync(join(folder, DEAD_LETTERS), 'utf8').trimEnd().split('\n')
  t.equal(dead.length, 2)
  t.match(JSON.parse(dead[0]!), { target: 'b.example.com', reason: 'stopped' })
  t.equal(clock.pending, 0)
  drift()
  t.equal(open.length, 3, 'nothing is sent any more')
})
