import t from 'tap'
import { encodeFrame, FrameReader } from '../../../src/embedded-drachtio/protocol/frame.ts'

function reader(limit = 262_144) {
  const payloads: string[] = []
  const frames = new FrameReader(limit, (payload) => payloads.push(payload.toString('utf8')))
  return { frames, payloads }
}

t.test('frames come out whole however they are cut', async (t) => {
  const texts = ['a|ping', 'ü|日本|🎉', '', 'x'.repeat(65_536), 'last|one']
  const stream = Buffer.concat(texts.map((text) => encodeFrame(text)))
  for (const size of [1, 2, 3, 7, 1000, stream.length]) {
    const { frames, payloads } = reader()
    for (let at = 0; at < stream.length; at += size) {
      if (!frames.push(stream.subarray(at, at + size))) t.fail(`broke at ${at}`)
    }
    t.same(payloads, texts, `pieces of ${size}`)
  }
})

t.test('what is no frame breaks the stream', async (t) => {
  for (const bytes of ['x', '#', '12x#', '-1#a', ' 5#', '1234567890#', '99999999#', '0x5#']) {
    const { frames, payloads } = reader(99_999_998)
    t.notOk(frames.push(Buffer.from(bytes)), JSON.stringify(bytes))
    t.notOk(frames.push(Buffer.from('1#a')), 'and it stays broken')
    t.same(payloads, [])
  }
})

t.test('a length above the limit breaks the stream before its bytes come', async (t) => {
  const { frames } = reader(100)
  t.ok(frames.push(Buffer.from('100#')))
  const other = reader(100)
  t.notOk(other.frames.push(Buffer.from('101')))
})

t.test('nothing is delivered after stop, even from the same chunk', async (t) => {
  const payloads: string[] = []
  const frames = new FrameReader(100, (payload) => {
    payloads.push(payload.toString())
    frames.stop()
  })
  t.notOk(frames.push(Buffer.from('1#a1#b')))
  t.same(payloads, ['a'])
})

t.test('a frame counts bytes, body included', async (t) => {
  t.equal(encodeFrame('é').toString(), '2#é')
  t.equal(encodeFrame('é|', Buffer.from([0xff, 0x00])).toString('latin1'), '5#\xc3\xa9|\xff\x00')
})
