import t from 'tap'
import type { AppConnection } from '../../../src/embedded-drachtio/protocol/connection.ts'
import { Router } from '../../../src/embedded-drachtio/protocol/router.ts'

const app = (open = true) => ({ open }) as AppConnection

t.test('applications take turns, method by method', async (t) => {
  const router = new Router()
  const [a, b] = [app(), app()]
  router.add('invite', a)
  router.add('invite', b)
  router.add('invite', a)
  router.add('options', b)
  t.same(
    [1, 2, 3, 4].map(() => router.pick('INVITE') === a),
    [true, false, true, false],
  )
  t.equal(router.pick('OPTIONS'), b)
  t.equal(router.pick('OPTIONS'), b)
  t.equal(router.pick('BYE'), undefined)
})

t.test('the closed and the unsubscribed are passed over', async (t) => {
  const router = new Router()
  const [a, dead, b] = [app(), app(false), app()]
  for (const one of [a, dead, b]) router.add('invite', one)
  t.same(
    [1, 2, 3].map(() => router.pick('invite')),
    [a, b, a],
  )
  router.remove('invite', a)
  t.equal(router.pick('invite'), b)
  router.removeAll(b)
  t.equal(router.pick('invite'), undefined)
  router.removeAll(dead)
  t.equal(router.size, 0)
  router.remove('invite', a)
})
