import t from 'tap'
import { parseCommand, RefusedValue } from '../../../src/embedded-drachtio/protocol/command.ts'

const refused = 'line break or control character in a value'
const parse = (text: string) => parseCommand(Buffer.from(text))

t.test('only the leader is split', async (t) => {
  const { tokens, message } = parse('m|sip|t|d\r\nSIP/2.0 200 OK\r\nFrom: "a|b" <sip:x@y>\r\n\r\n|')
  t.same(tokens, ['m', 'sip', 't', 'd'])
  t.equal(message?.startLine, 'SIP/2.0 200 OK')
  t.match(message?.headers, [{ key: 'from', value: '"a|b" <sip:x@y>' }])
  t.equal(message?.body?.toString(), '|')
})

t.test('leaders without a message, empty tokens kept', async (t) => {
  t.same(parse('m|authenticate|s|').tokens, ['m', 'authenticate', 's', ''])
  t.same(parse('m|sip|||').tokens, ['m', 'sip', '', '', ''])
  t.equal(parse('m|ping').message, undefined)
})

t.test('names in any case and form, bad lines dropped, the body kept byte for byte', async (t) => {
  const { message } = parse(
    'm|sip||\r\nINFO sip:x@y SIP/2.0\r\nf: <sip:a@b>\r\nCONTENT-TYPE: text/plain\r\nno colon\r\nbad name: x\r\n: y\r\nX-a:1\r\n\r\none\r\n\r\ntwo\n',
  )
  t.same(
    message?.headers.map(({ key, name, value }) => [key, name, value]),
    [
      ['from', 'From', '<sip:a@b>'],
      ['content-type', 'Content-Type', 'text/plain'],
      ['x-a', 'X-a', '1'],
    ],
  )
  t.equal(message?.body?.toString(), 'one\r\n\r\ntwo\n')
})

t.test('control characters are refused wherever they stand', async (t) => {
  for (const text of [
    'm|sip||\r\nINFO sip:x@y SIP/2.0\r\nX-A: a\nVia: b\r\n\r\n',
    'm|sip||\r\nINFO sip:x@y SIP/2.0\r\nX-A: a\rVia: b\r\n\r\n',
    'm|sip||\r\nINFO sip:x@y SIP/2.0\r\nX-A: a\0\r\n\r\n',
    'm|sip||\r\nINFO sip:x@y SIP/2.0\r\nX-A: a\r\n folded\r\n\r\n',
    'm|sip||\r\nINFO sip:x\n@y SIP/2.0\r\n\r\n',
    'm|sip|||sip:a\n@b\r\nINFO sip:x@y SIP/2.0\r\n\r\n',
  ]) {
    t.throws(() => parse(text), new RefusedValue(refused), JSON.stringify(text))
  }
  t.ok(
    parse('m|sip||\r\nINFO sip:x@y SIP/2.0\r\nX-A: a\tb\r\n\r\n').message,
    'a tab is white space',
  )
})

t.test('the leader is known before the message is refused', async (t) => {
  let mid = ''
  t.throws(() =>
    parseCommand(Buffer.from('m|sip||\r\nINFO sip:x@y SIP/2.0\r\nX: a\nb\r\n\r\n'), (tokens) => {
      mid = tokens[0]!
    }),
  )
  t.equal(mid, 'm')
})
