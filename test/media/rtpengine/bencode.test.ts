import t from 'tap'
import { decodeNg, encodeNg, type NgValue } from '../../../src/media/rtpengine/bencode.ts'
import { FakeRandom } from '../../support/fake-random.ts'

const pairs: [NgValue, string][] = [
  ['', '0:'],
  ['pong', '4:pong'],
  ['Zoé', '4:Zoé'],
  [0, 'i0e'],
  [-7, 'i-7e'],
  [[], 'le'],
  [['a', 1], 'l1:ai1ee'],
  [{}, 'de'],
  [{ b: 1, a: ['x'] }, 'd1:al1:xe1:bi1ee'],
]

for (const [value, text] of pairs) {
  t.test(`${text} and back`, async (t) => {
    t.equal(encodeNg(value).toString(), text)
    t.same(decodeNg(Buffer.from(text)), value)
  })
}

t.test('bytes go as they are', async (t) => {
  const bytes = Buffer.from([0xff, 0x00, 0x80])
  t.same(
    encodeNg({ blob: bytes }),
    Buffer.concat([Buffer.from('d4:blob3:'), bytes, Buffer.from('e')]),
  )
})

const broken = [
  '',
  'x',
  'i',
  'i1',
  'ie',
  'i1x2e',
  '5:abc',
  '-1:a',
  'l',
  'd',
  'd1:a',
  'di1ei2ee',
  '9'.repeat(20),
]

for (const text of broken) {
  t.test(`${JSON.stringify(text)} is refused`, async (t) => {
    t.throws(() => decodeNg(Buffer.from(text)))
  })
}

t.test('nesting has an end', async (t) => {
  t.throws(() => decodeNg(Buffer.from('l'.repeat(10_000))), /too deep/)
})

t.test('no key reaches a prototype', async (t) => {
  const value = decodeNg(Buffer.from('d9:__proto__d1:x1:yee')) as Record<string, unknown>
  t.equal(({} as Record<string, unknown>)['x'], undefined)
  t.same(Object.keys(value), ['__proto__'])
})

t.test('garbage throws an Error and nothing else', async (t) => {
  const random = new FakeRandom(7)
  const valid = encodeNg({ result: 'ok', list: [1, 2, { a: 'b' }], sdp: 'v=0\r\n' })
  for (let round = 0; round < 2000; round++) {
    const data = Buffer.from(valid)
    for (let i = 0; i < 3; i++) data[random.int(0, data.length)] = random.int(0, 256)
    try {
      decodeNg(data.subarray(0, random.int(0, data.length + 1)))
    } catch (error) {
      if (!(error instanceof Error)) t.fail(String(error))
    }
  }
  t.pass('2000 damaged messages')
})
