import { createHmac } from 'node:crypto'
import t from 'tap'
import { HmacSha1, tagMatches, writeTag } from '../../../src/media-relay/srtp/hmac-sha1.ts'
import { FakeRandom } from '../../support/fake-random.ts'

function tag(hmac: HmacSha1, data: Buffer, word?: number): string {
  hmac.compute(data, data.length, word)
  const out = Buffer.alloc(20)
  writeTag(out, 0, 20)
  return out.toString('hex')
}

t.test('RFC 2202 test cases', async (t) => {
  const cases: [Buffer, Buffer, string][] = [
    [Buffer.alloc(20, 0x0b), Buffer.from('Hi There'), 'b617318655057264e28bc0b6fb378c8ef146be00'],
    [
      Buffer.from('Jefe'),
      Buffer.from('what do ya want for nothing?'),
      'effcdf6ae5eb2fa2d27416d5f184df9c259a7c79',
    ],
    [Buffer.alloc(20, 0xaa), Buffer.alloc(50, 0xdd), '125d7342b9ac11cd91a39af48aa17b4f63f175d3'],
  ]
  for (const [key, data, expected] of cases) t.equal(tag(new HmacSha1(key), data), expected)
})

t.test('equals node:crypto for every length up to 300, with and without a word', async (t) => {
  const random = new FakeRandom(3)
  const key = random.bytes(20)
  const hmac = new HmacSha1(key)
  for (let length = 0; length <= 300; length++) {
    const data = random.bytes(length)
    const word = random.int(0, 2 ** 32)
    const wordBytes = Buffer.alloc(4)
    wordBytes.writeUInt32BE(word)
    const sha1 = (...parts: Buffer[]): string =>
      createHmac('sha1', key).update(Buffer.concat(parts)).digest('hex')
    if (tag(hmac, data) !== sha1(data)) t.fail(`${length} octets`)
    if (tag(hmac, data, word) !== sha1(data, wordBytes)) t.fail(`${length} octets and a word`)
  }
})

t.test('only a tag that is equal in each octet matches', async (t) => {
  const hmac = new HmacSha1(Buffer.alloc(20, 1))
  const data = Buffer.alloc(30, 7)
  hmac.compute(data, 20, undefined)
  writeTag(data, 20, 10)
  t.ok(tagMatches(data, 20, 10))
  for (let i = 20; i < 30; i++) {
    data[i]! ^= 0x40
    t.notOk(tagMatches(data, 20, 10), `octet ${i - 20}`)
    data[i]! ^= 0x40
  }
})
