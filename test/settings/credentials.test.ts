import t from 'tap'
import { createCredentialStore } from '../../src/settings/credentials.ts'
import { backoffDelay, retryAfterOf } from '../../src/settings/retry.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeRandom } from '../support/fake-random.ts'

t.test('refreshes share a read and keep what it brings', async (t) => {
  const clock = new FakeClock()
  let reads = 0
  let give = (_: Secret | undefined): void => {}
  const store = createCredentialStore({
    clock,
    fixed: new Map(),
    read: () => {
      reads++
      return new Promise((resolve) => {
        give = resolve
      })
    },
  })
  t.equal(store.get('a'), undefined)
  const both = [store.refresh('a'), store.refresh('a')]
  give(new Secret('one'))
  const [first, second] = await Promise.all(both)
  t.equal(first, second)
  t.equal(reads, 1)
  t.equal(store.get('a')!.reveal(), 'one')
  t.equal(store.readAt('a'), clock.now())
})

t.test('a refresh that brought nothing new is not repeated for ten seconds', async (t) => {
  const clock = new FakeClock()
  let password: string | undefined = 'one'
  let reads = 0
  const read = async () => {
    reads++
    return password === undefined ? undefined : new Secret(password)
  }
  const store = createCredentialStore({ clock, fixed: new Map(), read })
  await store.refresh('a')
  await store.refresh('a')
  t.equal(reads, 2, 'the second read found nothing new')
  password = 'two'
  t.equal((await store.refresh('a'))!.reveal(), 'one')
  t.equal(reads, 2)
  clock.advance(10_000)
  t.equal((await store.refresh('a'))!.reveal(), 'two')
  password = undefined
  t.equal(await store.refresh('a'), undefined)
  t.equal(store.get('a')!.reveal(), 'two', 'the known one stays')
})

t.test('a read that fails gives nothing and may be repeated at once', async (t) => {
  let reads = 0
  const read = async () => {
    reads++
    throw new Error('unreachable')
  }
  const store = createCredentialStore({ clock: new FakeClock(), fixed: new Map(), read })
  t.equal(await store.refresh('a'), undefined)
  t.equal(await store.refresh('a'), undefined)
  t.equal(reads, 2)
})

t.test('a fixed password is never read', async (t) => {
  const fixed = new Map([['a', new Secret('fixed')]])
  const read = async () => t.fail('must not be asked') as never
  const store = createCredentialStore({ clock: new FakeClock(), fixed, read })
  store.set('a', new Secret('read'))
  t.equal(store.get('a')!.reveal(), 'fixed')
  t.equal((await store.refresh('a'))!.reveal(), 'fixed')
})

t.test('pauses double up to the maximum, between half and whole', async (t) => {
  const random = new FakeRandom(5)
  const backoff = { base: 500, max: 8000 }
  for (const [failures, whole] of [
    [1, 500],
    [2, 1000],
    [3, 2000],
    [5, 8000],
    [60, 8000],
  ] as const) {
    const seen = new Set<number>()
    for (let i = 0; i < 50; i++) {
      const pause = backoffDelay(backoff, failures, random)
      t.ok(pause >= whole / 2 && pause <= whole, `${failures}: ${pause}`)
      seen.add(pause)
    }
    t.ok(seen.size > 10, 'jittered')
  }
})

t.test('Retry-After in both forms', async (t) => {
  const clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'))
  const rows: [string | null, number | undefined][] = [
    [null, undefined],
    ['', undefined],
    ['7', 7000],
    [' 0 ', 0],
    ['-1', undefined],
    ['1.5', undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30_000],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['soon', undefined],
  ]
  for (const [header, expected] of rows) {
    t.equal(retryAfterOf(header, clock), expected, String(header))
  }
})
