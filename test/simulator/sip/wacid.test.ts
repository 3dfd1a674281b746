import t from 'tap'
import { decodeWacid, makeWacid } from '../../../src/simulator/sip/index.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const published =
  'wacid.HBgLMzMxOTkwMDEyMzQVAgASGCA2MUI2QUY0MDRCMTUyOTM4QkE5ODEwN0ZGQTAwODkxORwYDDQ0MTYzMjk2MDEyMxUCAAA='

t.test('a published WACID is read', async (t) => {
  const parts = {
    user: '33199001234',
    business: '441632960123',
    unique: '61B6AF404B152938BA98107FFA008919',
    businessInitiated: false,
  }
  t.same(decodeWacid(published), parts)
  t.same(decodeWacid(published.replace(/=+$/, '')), parts, 'without padding')
})

t.test('ours have the same bytes but for the unique part', async (t) => {
  const wacid = makeWacid(
    { user: '33199001234', business: '441632960123', businessInitiated: false },
    new FakeRandom(),
  )
  const parts = decodeWacid(wacid)!
  t.equal(parts.user, '33199001234')
  t.match(parts.unique, /^[0-9A-F]{32}$/)
  const bytes = (id: string) => Buffer.from(id.slice(6), 'base64')
  const expected = bytes(published)
  expected.write(parts.unique, expected.indexOf('61B6AF'))
  t.same(bytes(wacid), expected)
  const other = makeWacid({ user: '1', business: '2', businessInitiated: true }, new FakeRandom())
  t.equal(decodeWacid(other)!.businessInitiated, true)
})

t.test('what is none is not read', async (t) => {
  for (const text of ['', 'wacid.', 'wacid.AAAA', published.slice(0, 40), 'outgoing:wacid.HBg']) {
    t.equal(decodeWacid(text), undefined, JSON.stringify(text))
  }
})
