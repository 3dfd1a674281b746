import t from 'tap'
import {
  headerLine,
  parseMessage,
  serializeMessage,
} from '../../../src/embedded-drachtio/message/index.ts'
import { crlf, invite, sdp } from './samples.ts'

t.test('Content-Length is counted in bytes, placed last and given once', async (t) => {
  const message = parseMessage(invite({ l: '6', Subject: 'x' }, '"ü€"x'.slice(0, 4)))
  t.equal(message.body?.length, 6)
  message.body = Buffer.from('naïve €')
  message.headers.push(headerLine('X-Last', 'Łódź'))
  const text = serializeMessage(message).toString()
  t.equal(text.match(/content-length|^l:/gim)?.length, 1)
  t.match(text, /X-Last: Łódź\r\nContent-Length: 10\r\n\r\nnaïve €$/)
})

t.test('a message without a body says so', async (t) => {
  const bytes = serializeMessage(parseMessage(invite()))
  t.match(bytes.toString(), /\r\nContent-Length: 0\r\n\r\n$/)
})

t.test('writing what was read and reading what was written agree', async (t) => {
  const samples = [
    invite({ 'Content-Type': 'application/sdp' }, sdp),
    invite({ From: '"Łódź 😀" <sip:a@b.com>;tag=1', 'x-Mixed-CASE': '' }, 'body €'),
    invite({ f: undefined, i: undefined, Subject: 'folded\r\n  value' }),
    invite({}, '', 'SIP/2.0 404 Nicht gefunden – leider'),
    invite({}, '', 'SIP/2.0 100 '),
  ]
  for (const bytes of samples) {
    const first = parseMessage(bytes)
    const second = parseMessage(serializeMessage(first))
    const without = (message: typeof first) => ({
      ...message,
      headers: message.headers.filter(({ key }) => key !== 'content-length'),
    })
    t.same(without(second), without(first))
    t.same(serializeMessage(second), serializeMessage(first))
  }
})

t.test('binary bodies pass unchanged', async (t) => {
  const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  const message = parseMessage(invite())
  message.body = body
  t.same(parseMessage(serializeMessage(message)).body, body)
  t.equal(crlf('a', 'b'), 'a\r\nb')
})
