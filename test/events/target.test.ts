import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { EventTarget } from '../../src/config/types.ts'
import { DeadLetterFile } from '../../src/events/dead-letter.ts'
import { createPost, type Post, type PostOutcome } from '../../src/events/post.ts'
import { PERSISTENCE, type Persistence, Target } from '../../src/events/target.ts'
import { createLogger, silentLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { cut, hang, isGenuine, ScriptedTarget, SECRET, type Step, until } from './support.ts'

interface LabOptions {
  script?: Step[]
  url?: string
  persistence?: Partial<Persistence>
  post?: Post
  lines?: string[]
}

/** A target of a scripted server. Its pauses are on one clock, the time limits of HTTP on another. */
async function lab(t: Test, options: LabOptions = {}) {
  const clock = new FakeClock()
  const httpClock = new FakeClock()
  const http = createPost({ clock: httpClock, connections: 8 })
  t.teardown(() => http.close())
  const server = await ScriptedTarget.start(t, ...(options.script ?? []))
  const path = join(t.testdir(), 'data', 'undelivered.jsonl')
  const log = options.lines
    ? createLogger({
        level: 'debug',
        numbers: 'full',
        destination: { write: (line: string) => void options.lines!.push(line) },
      })
    : silentLogger()
  const deadLetters = new DeadLetterFile(path, log)
  const config: EventTarget = {
    url: options.url ?? server.url,
    secret: SECRET,
    events: undefined,
  }
  const target = new Target({
    name: 'crm.example.com',
    target: config,
    clock,
    random: new FakeRandom(),
    log,
    deadLetters,
    persistence: { ...PERSISTENCE, ...options.persistence },
    post: options.post ?? http.post,
  })
  t.teardown(async () => {
    const stopped = target.stop(0)
    clock.advance(0)
    await stopped
    await deadLetters.flushed()
  })
  let count = 0
  const push = (key = 'call', mark: unknown = ++count): void => {
    const body = JSON.stringify({ version: 1, id: `id-${mark}`, type: 'call.started', key, mark })
    target.push({ id: `id-${mark}`, type: 'call.started', key, body })
  }
  /** Lines of the dead-letter file. */
  const letters = async (): Promise<Record<string, unknown>[]> => {
    await deadLetters.flushed()
    if (!existsSync(path)) return []
    return readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
  }
  const attempts = (): Record<string, number> =>
    Object.fromEntries(target.status().attempts.map(({ result, count }) => [result, count]))
  /** Advances the clock until the server has seen so many POSTs. */
  const retriedTo = async (posts: number): Promise<void> => {
    while (server.posted.length < posts) {
      const seen = server.posted.length
      const counted = (): number => Object.values(attempts()).reduce((sum, each) => sum + each, 0)
      await until('the outcome', () => counted() === seen)
      clock.advance(600_000)
      await until('another attempt', () => server.posted.length > seen)
    }
  }
  return { server, target, clock, httpClock, push, letters, retriedTo, attempts, path }
}

t.test('an event arrives signed, with its time under the signature', async (t) => {
  const { server, target, push, clock } = await lab(t)
  push()
  await until('delivered', () => target.status().delivered === 1)
  const [post] = server.posted
  t.match(post!.headers, {
    'content-type': 'application/json',
    'x-causeway-event': 'call.started',
    'x-causeway-id': 'id-1',
    'x-causeway-attempt': '1',
    'x-causeway-timestamp': String(clock.now() / 1000),
  })
  t.ok(isGenuine(post!, 'crm-secret'))
  t.notOk(isGenuine(post!, 'another'))
  t.notOk(isGenuine({ ...post!, body: `${post!.body} ` }, 'crm-secret'))
  const headers = { ...post!.headers, 'x-causeway-timestamp': '1700000001' }
  t.notOk(isGenuine({ ...post!, headers }, 'crm-secret'), 'another time')
})

t.test('what fails is tried again under the same id, signed anew', async (t) => {
  const { server, target, push, retriedTo, letters, attempts } = await lab(t, {
    script: [500, 503, 404, 429, cut, 200],
  })
  push()
  await retriedTo(6)
  await until('delivered', () => target.status().delivered === 1)
  t.equal(new Set(server.posted.map(({ headers }) => headers['x-causeway-id'])).size, 1)
  t.same(
    server.posted.map(({ headers }) => headers['x-causeway-attempt']),
    ['1', '2', '3', '4', '5', '6'],
  )
  t.ok(server.posted.every((post) => isGenuine(post, 'crm-secret')))
  t.ok(
    new Set(server.posted.map(({ headers }) => headers['x-causeway-timestamp'])).size > 1,
    'the time is that of the attempt',
  )
  t.strictSame(attempts(), { status: 4, connection: 1, delivered: 1 })
  t.match(target.status(), { queued: 0, failures: 0, lastFailure: undefined })
  t.strictSame(await letters(), [])
})

t.test('a target that hangs is given up after ten seconds, and tried again', async (t) => {
  const { server, target, push, clock, httpClock, attempts } = await lab(t, { script: [hang, 200] })
  push()
  await until('a POST', () => server.posted.length === 1)
  httpClock.advance(9999)
  t.equal(httpClock.pending, 1)
  httpClock.advance(1)
  await until('the time ran out', () => attempts()['timeout'] === 1)
  clock.advance(1000)
  await until('delivered', () => target.status().delivered === 1)
})

t.test('an answer without an end counts by its status', async (t) => {
  const { target, push } = await lab(t, {
    script: [
      (response) => {
        response.writeHead(200)
        response.write('x'.repeat(200_000))
      },
    ],
  })
  push()
  await until('delivered', () => target.status().delivered === 1)
  t.match(target.status(), { failures: 0 })
})

t.test('a redirect is not followed, and an event that is refused is not tried again', async (t) => {
  const { server, push, letters, attempts } = await lab(t, { script: [307, 400, 410, 413, 422] })
  for (let i = 0; i < 5; i++) push(`call ${i}`)
  await until('all five', () => server.posted.length === 5)
  await until('all counted', () => (attempts()['status'] ?? 0) === 4)
  t.equal(attempts()['redirect'], 1)
  t.notOk(server.posted.some(({ url }) => url === '/elsewhere'))
  const dead = await letters()
  t.equal(dead.length, 5)
  t.match(dead[0], {
    target: 'crm.example.com',
    tries: 1,
    event: { type: 'call.started', mark: 1 },
  })
  const reasons = dead.map(({ reason }) => String(reason)).sort()
  t.equal(reasons[0], 'refused: 307: redirects are not followed')
  t.equal(reasons[1], 'refused: status 400')
})

t.test(
  'after the last try an event becomes a dead letter, and the next has its turn',
  async (t) => {
    const { server, target, push, retriedTo, letters, path } = await lab(t, {
      script: [500, 500, 500],
      persistence: { tries: 3 },
    })
    push('call', 'bad')
    push('call', 'good')
    await retriedTo(4)
    await until('delivered', () => target.status().delivered === 1)
    t.same(
      server.events.map((event) => (event as unknown as { mark: string }).mark),
      ['bad', 'bad', 'bad', 'good'],
    )
    t.match(await letters(), [{ tries: 3, reason: 'tries: status 500', event: { mark: 'bad' } }])
    t.equal(statSync(path).mode & 0o777, 0o600, 'only its owner may read it')
    t.strictSame(target.status().dead, [{ reason: 'tries', count: 1 }])
  },
)

/** A target without a network: each attempt waits until it is told what becomes of it. */
function scripted() {
  const open: { body: Record<string, unknown>; end: (outcome: PostOutcome) => void }[] = []
  const post: Post = (_url, _headers, body, signal) =>
    new Promise((resolve) => {
      open.push({ body: JSON.parse(body), end: resolve })
      const stopped = failed({ reason: 'stopped', detail: 'stopped' })
      signal.addEventListener('abort', () => resolve(stopped))
    })
  return { open, post }
}

function failed(change: Partial<PostOutcome & { ok: false }> = {}): PostOutcome {
  return {
    ok: false,
    reason: 'status',
    status: 500,
    detail: 'status 500',
    final: false,
    retryAfter: undefined,
    ...change,
  }
}

const fine: PostOutcome = { ok: true, status: 200 }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('events of a call keep their order, those of others do not wait for them', async (t) => {
  const { open, post } = scripted()
  const { push, clock } = await lab(t, { post })
  for (const mark of ['a1', 'a2', 'b1', 'a3', 'b2']) push(mark[0]!, mark)
  const marks = () => open.map(({ body }) => body['mark'])
  t.same(marks(), ['a1', 'b1'])
  open[1]!.end(fine)
  await turn()
  t.same(marks(), ['a1', 'b1', 'b2'])
  open[0]!.end(failed())
  await turn()
  t.same(marks(), ['a1', 'b1', 'b2'], 'a2 waits for a1')
  clock.advance(1000)
  t.same(marks(), ['a1', 'b1', 'b2', 'a1'])
  open[3]!.end(fine)
  await turn()
  t.same(marks().slice(4), ['a2'])
  open[4]!.end(fine)
  await turn()
  t.same(marks().slice(5), ['a3'])
})

t.test('only so many attempts at a time', async (t) => {
  const { open, post } = scripted()
  const { push } = await lab(t, { post, persistence: { connections: 3 } })
  for (let i = 0; i < 10; i++) push(`call ${i}`)
  t.equal(open.length, 3)
  open[0]!.end(fine)
  await turn()
  t.equal(open.length, 4)
})

t.test('pauses grow with jitter, and Retry-After is kept', async (t) => {
  const { open, post } = scripted()
  const { push, clock } = await lab(t, { post, persistence: { gate: 1000 } })
  push()
  for (let failures = 1; failures < 12; failures++) {
    open.at(-1)!.end(failed())
    await turn()
    const full = Math.min(600_000, 1000 * 2 ** (failures - 1))
    clock.advance(full / 2 - 1)
    t.equal(open.length, failures, `not before half of ${full} ms`)
    clock.advance(full / 2 + 2)
    t.equal(open.length, failures + 1, `not after ${full} ms`)
  }
  push('another')
  open.at(-1)!.end(failed({ retryAfter: 90_000 }))
  await turn()
  const seen = open.length
  clock.advance(89_999)
  t.equal(open.length, seen)
  clock.advance(1)
  t.equal(open.length, seen + 1)
})

t.test('a target that fails for everybody is probed by one attempt at a time', async (t) => {
  const { open, post } = scripted()
  const { push, clock } = await lab(t, { post, persistence: { connections: 4 } })
  for (let i = 0; i < 100; i++) push(`call ${i}`)
  let failures = 0
  const failAll = async (): Promise<void> => {
    for (; failures < open.length; failures++) {
      open[failures]!.end(failed({ reason: 'connection' }))
      await turn()
    }
  }
  await failAll()
  t.ok(failures < 10, `after ${failures} failures it is left alone, though 100 events wait`)
  for (let probes = 0; probes < 5; probes++) {
    for (let i = 0; i < 1000 && open.length === failures; i++) clock.advance(1000)
    t.equal(open.length, failures + 1, 'one probe')
    await failAll()
  }
  for (let i = 0; i < 1000 && open.length === failures; i++) clock.advance(1000)
  open.at(-1)!.end(fine)
  await turn()
  t.equal(open.length, failures + 1 + 4, 'and then as many as may be again')
})

t.test('a full queue sends what comes later to the dead letters', async (t) => {
  const { open, post } = scripted()
  const { push, target, letters } = await lab(t, { post, persistence: { queue: 2 } })
  for (const mark of ['one', 'two', 'three']) push(mark, mark)
  t.equal(target.status().queued, 2)
  t.match(await letters(), [{ reason: 'queue_full', tries: 0, event: { mark: 'three' } }])
  open[0]!.end(fine)
  await turn()
  push('four', 'four')
  t.equal((await letters()).length, 1)
})

t.test('stopping gives everything one more attempt', async (t) => {
  const { open, post } = scripted()
  const { push, target, letters, clock } = await lab(t, { post })
  push('a', 'paused')
  open[0]!.end(failed())
  await turn()
  push('b', 'fresh')
  const stopped = target.stop(5000)
  t.same(
    open.map(({ body }) => body['mark']),
    ['paused', 'fresh', 'paused'],
  )
  open[1]!.end(fine)
  open[2]!.end(failed())
  await stopped
  t.match(await letters(), [{ reason: 'stopped: status 500', event: { mark: 'paused' } }])
  t.equal(clock.pending, 0)
  push('c', 'late')
  t.match((await letters())[1], { reason: 'stopped', event: { mark: 'late' } })
})

t.test('stopping waits for a hanging target no longer than it was told', async (t) => {
  const { server, target, push, clock, letters } = await lab(t, { script: [hang, hang] })
  push('a', 'first')
  push('b', 'second')
  push('a', 'third')
  await until('both hang', () => server.posted.length === 2)
  const stopped = target.stop(5000)
  clock.advance(5000)
  await stopped
  const dead = await letters()
  t.same(dead.map(({ event }) => (event as { mark: string }).mark).sort(), [
    'first',
    'second',
    'third',
  ])
  t.ok(dead.every(({ reason }) => reason === 'stopped'))
  t.equal(clock.pending, 0)
})

t.test('nothing secret is logged', async (t) => {
  const lines: string[] = []
  const { push, clock, letters, server } = await lab(t, {
    script: [500, 400],
    persistence: { gate: 100 },
    lines,
  })
  push()
  await until('a POST', () => server.posted.length === 1)
  await until('a pause', () => lines.length === 1)
  clock.advance(1000)
  await until('refused', () => lines.length === 2)
  await letters()
  t.notMatch(lines.join(''), /crm-secret|sha256=|\/calls/)
  t.match(JSON.parse(lines[0]!), { level: 40, target: 'crm.example.com', detail: 'status 500' })
  t.match(JSON.parse(lines[1]!), {
    level: 50,
    code: 'APP_EVENT_UNDELIVERED',
    detail: 'refused: status 400',
  })
})

t.test('a target that is down is told once, not for every event and attempt', async (t) => {
  const { open, post } = scripted()
  const lines: string[] = []
  const { push, clock, target } = await lab(t, {
    post,
    lines,
    persistence: { queue: 20, connections: 1 },
  })
  for (let i = 0; i < 100; i++) push(`call ${i}`)
  for (let i = 0; i < 5; i++) {
    open.at(-1)!.end(failed())
    await turn()
    for (let s = 0; s < 100 && open.length === i + 1; s++) clock.advance(1000)
  }
  open.at(-1)!.end(fine)
  await turn()
  const stopped = target.stop(0)
  clock.advance(0)
  await stopped
  const seen = lines.map((line) => JSON.parse(line)).filter(({ level }) => level > 20)
  t.match(seen, [
    { level: 50, detail: 'queue_full' },
    { level: 40, tries: 1, again: Number },
    { level: 30, msg: 'events are delivered again' },
    { level: 40, events: 19, msg: 'events left undelivered when stopping' },
  ])
  t.equal(seen.length, 4)
})

t.test(
  'the dead letters are bounded, and a folder that cannot be made loses them aloud',
  async (t) => {
    const dir = t.testdir({ file: 'x' })
    const path = join(dir, 'dead.jsonl')
    const letter = { time: '', target: 'x', reason: 'tries', tries: 1, event: 'y'.repeat(1000) }
    const file = new DeadLetterFile(path, silentLogger(), 5000)
    for (let i = 0; i < 30; i++) {
      file.add(letter)
      await file.flushed()
    }
    const sizes = [path, `${path}.1`].map((each) => statSync(each).size)
    t.ok(
      sizes.every((size) => size > 0 && size < 7000),
      `${sizes}`,
    )
    t.equal(file.lost, 0)
    const lines: string[] = []
    const destination = { write: (line: string) => void lines.push(line) }
    const log = createLogger({ level: 'error', numbers: 'full', destination })
    const lost = new DeadLetterFile(join(dir, 'file', 'dead.jsonl'), log)
    lost.add(letter)
    lost.add(letter)
    await lost.flushed()
    t.equal(lost.lost, 2)
    t.match(JSON.parse(lines[0]!), { err: { code: 'APP_EVENT_DEAD_LETTER' } })
  },
)

t.test('a secret that changes is taken for the next attempt', async (t) => {
  const { server, target, push } = await lab(t)
  push()
  await until('delivered', () => target.status().delivered === 1)
  target.reconfigure({ url: target.url, secret: new Secret('new'), events: ['call.ended'] })
  t.equal(target.wants('call.started'), false)
  push()
  await until('delivered', () => target.status().delivered === 2)
  t.ok(isGenuine(server.posted[1]!, 'new'))
})
