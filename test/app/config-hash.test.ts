import t from 'tap'
import { configHash } from '../../src/app/config-hash.ts'
import { configOf, edit } from '../support/config-file.ts'

t.test('the hash tells configurations apart, and holds no secret', async (t) => {
  const first = configHash(configOf(edit()))
  t.match(first, /^[0-9a-f]{12}$/)
  t.equal(configHash(configOf(edit())), first)
  t.not(configHash(configOf(edit(['media:', 'limits: { calls: 9 }\nmedia:']))), first)
  t.equal(configHash(configOf(edit(['token-of-support', 'another']))), first)
})
