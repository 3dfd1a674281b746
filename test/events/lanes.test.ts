import t from 'tap'
import { Lanes } from '../../src/events/lanes.ts'

const item = (key: string, n: number) => ({ key, n })

t.test('a lane gives its things one at a time, in order', async (t) => {
  const lanes = new Lanes<ReturnType<typeof item>>()
  t.equal(lanes.take(), undefined)
  const [a1, a2, b1] = [item('a', 1), item('a', 2), item('b', 1)]
  for (const each of [a1, a2, b1]) lanes.push(each)
  t.equal(lanes.size, 3)
  t.equal(lanes.take(), a1)
  t.equal(lanes.take(), b1)
  t.equal(lanes.ready, false)
  lanes.giveBack(a1)
  t.equal(lanes.take(), a1, 'the head again, not the next')
  lanes.done(a1)
  t.equal(lanes.take(), a2)
  lanes.done(b1)
  lanes.done(b1)
  t.equal(lanes.size, 1, 'what is done twice counts once')
})

t.test('the lane that was ready first is served first', async (t) => {
  const lanes = new Lanes<ReturnType<typeof item>>()
  const all = ['a', 'b', 'c'].map((key) => item(key, 1))
  for (const each of all) lanes.push(each)
  const first = lanes.take()!
  lanes.giveBack(first)
  t.same([lanes.take(), lanes.take(), lanes.take()], [all[1], all[2], all[0]])
})

t.test('emptied, it forgets what was taken too', async (t) => {
  const lanes = new Lanes<ReturnType<typeof item>>()
  const [a1, a2] = [item('a', 1), item('a', 2)]
  lanes.push(a1)
  lanes.push(a2)
  lanes.take()
  t.same(lanes.clear(), [a1, a2])
  t.equal(lanes.size, 0)
  lanes.done(a1)
  lanes.giveBack(a1)
  t.equal(lanes.ready, false)
})
