import t from 'tap'
import { Player } from '../../../src/media-relay/audio/index.ts'

const frames = [1, 2, 3].map((value) => Uint8Array.of(value))

t.test('once', async (t) => {
  const player = new Player(frames, false)
  t.equal(player.ended, false)
  t.same([player.next(), player.next()], [frames[0], frames[1]])
  t.equal(player.ended, false)
  t.equal(player.next(), frames[2])
  t.equal(player.ended, true)
  t.equal(player.next(), undefined)
  t.equal(player.next(), undefined)
})

t.test('over and over', async (t) => {
  const player = new Player(frames, true)
  const heard = Array.from({ length: 7 }, () => player.next()?.[0])
  t.same(heard, [1, 2, 3, 1, 2, 3, 1])
  t.equal(player.ended, false)
})

t.test('nothing', async (t) => {
  for (const loop of [true, false]) {
    const player = new Player([], loop)
    t.equal(player.ended, true)
    t.equal(player.next(), undefined)
  }
})
