import t from 'tap'
import {
  cancelHeaders,
  composeDialogRequest,
  composeRequest,
  composeResponse,
  parseRequestLine,
  parseStatusLine,
  toTagOf,
  withTag,
} from '../../../src/embedded-drachtio/dialog/compose.ts'
import { fillPlaceholder, type Local } from '../../../src/embedded-drachtio/dialog/placeholder.ts'
import { parseMessage, serializeMessage } from '../../../src/embedded-drachtio/message/index.ts'
import { parseCommand } from '../../../src/embedded-drachtio/protocol/command.ts'

const udp: Local = { host: '192.0.2.1', port: 5060, transport: 'udp' }
const tls: Local = { host: 'sip.example.com', port: 5061, transport: 'tls' }
const defaults = { callId: () => 'call', tag: () => 'tag', cseq: () => 7 }

function partial(text: string) {
  return parseCommand(Buffer.from(`m|sip||\r\n${text.replaceAll('\n', '\r\n')}`)).message!
}

function request(text: string, local = udp): string {
  const message = partial(text)
  const line = parseRequestLine(message.startLine)!
  return serializeMessage(composeRequest(line, message, local, defaults)).toString()
}

t.test('what an application leaves out is filled in', async (t) => {
  t.equal(
    request('INVITE sip:bob@h SIP/2.0\n\nv=0'),
    [
      'INVITE sip:bob@h SIP/2.0',
      'Max-Forwards: 70',
      'From: <sip:192.0.2.1:5060>;tag=tag',
      'To: <sip:bob@h>',
      'Call-ID: call',
      'CSeq: 7 INVITE',
      'Contact: <sip:192.0.2.1:5060>',
      'Content-Type: application/sdp',
      'Content-Length: 3',
      '',
      'v=0',
    ].join('\r\n'),
  )
  t.notMatch(request('OPTIONS sip:bob@h SIP/2.0\n\n'), /Contact/)
  t.match(
    request('SUBSCRIBE sip:bob@h SIP/2.0\n\n', tls),
    /Contact: <sip:sip\.example\.com:5061;transport=tls>/,
  )
})

t.test('behind a next hop it has named its Route stays', async (t) => {
  const message = partial('INVITE sip:bob@h SIP/2.0\nRoute: <sip:edge;lr>, <sip:core;lr>\n\n')
  const line = parseRequestLine(message.startLine)!
  const sent = (routed: boolean): string =>
    serializeMessage(composeRequest(line, message, udp, defaults, routed)).toString()
  t.match(sent(true), '\r\nRoute: <sip:edge;lr>, <sip:core;lr>\r\n')
  t.notMatch(sent(false), 'Route')
})

t.test('what it gives stays, but for what is the stack’s', async (t) => {
  const text = request(
    `INVITE sip:bob@h SIP/2.0
from: "A" <sip:a@b>;tag=mine
to: <sip:c@d>;tag=theirs
call-id: given
cseq: 42 INVITE
max-forwards: 10
contact: <sip:me@x>
via: SIP/2.0/UDP evil
v: SIP/2.0/UDP evil
route: <sip:evil>
record-route: <sip:evil>
rseq: 9
l: 4711
content-length: 4711
supported: timer
supported: 100rel
x-Own: kept
some-header: Some

`,
  )
  for (const line of [
    'From: "A" <sip:a@b>;tag=mine',
    'To: <sip:c@d>;tag=theirs',
    'Call-ID: given',
    'CSeq: 42 INVITE',
    'Max-Forwards: 10',
    'Contact: <sip:me@x>',
    'Supported: timer',
    'Supported: 100rel',
    'x-Own: kept',
    'Some-Header: Some',
    'Content-Length: 0',
  ]) {
    t.ok(text.includes(`${line}\r\n`), line)
  }
  t.notMatch(text, /evil|RSeq|4711/)
  t.match(
    request('INVITE sip:b@h SIP/2.0\nFrom: sip:a@b;x=1\n\n'),
    'From: <sip:a@b>;x=1;tag=tag\r\n',
  )
  t.match(request('INVITE sip:b@h SIP/2.0\nCSeq: none\n\n'), 'CSeq: 7 INVITE\r\n')
})

t.test('headers and body in the Request-URI', async (t) => {
  const text = request(
    'INVITE sip:b@h;user=phone?X-A=1%202&From=x&Subject=hi&body=v%3D0 SIP/2.0\n\n',
  )
  t.match(text, /^INVITE sip:b@h;user=phone SIP/)
  t.match(text, 'X-A: 1 2\r\n')
  t.match(text, 'Subject: hi\r\n')
  t.match(text, /\r\n\r\nv=0$/)
  t.notMatch(text, /From: x/)
  for (const bad of ['X-A=%0d%0aVia:x', 'X-A=%zz', 'X%20A=1']) {
    t.throws(
      () => request(`INVITE sip:b@h?${bad} SIP/2.0\n\n`),
      { message: /line break|malformed/ },
      bad,
    )
  }
})

t.test('what cannot be sent', async (t) => {
  t.throws(() => request('INVITE sip:b@h SIP/2.0\nFrom: <<\n\n'), /invalid from value/)
  t.throws(() => request('INVITE sip:b@h SIP/2.0\nTo: nonsense\n\n'), /invalid to value/)
  t.throws(() => request('MESSAGE sip:b@h SIP/2.0\n\nhello'), /missing content-type/)
  for (const line of [
    'INVITE sip:b@h',
    'INVITE  SIP/2.0',
    'INVITE b SIP/2.0',
    'IN(V sip:b@h SIP/2.0',
    'A b c d',
  ]) {
    t.equal(parseRequestLine(line), undefined, line)
  }
})

t.test('localhost is our address', async (t) => {
  const fill = (key: string, value: string, local = udp) => fillPlaceholder(key, value, local)
  t.equal(fill('from', 'sip:1234@localhost'), '<sip:1234@192.0.2.1:5060>')
  t.equal(fill('from', '"x" <sip:1@localhost:9;a=b>;tag=1'), '"x" <sip:1@192.0.2.1:5060;a=b>;tag=1')
  t.equal(fill('from', 'sip:localhost'), '<sip:192.0.2.1:5060>')
  t.equal(fill('to', '<sip:1@localhost.example.com>'), '<sip:1@localhost.example.com>')
  t.equal(fill('to', '<sip:1@localhost>', tls), '<sip:1@sip.example.com:5061>')
  t.equal(fill('contact', 'sips:1@localhost', udp), '<sips:1@192.0.2.1:5060>')
  t.equal(
    fill('contact', '<sip:1@localhost;ob>;expires=5', tls),
    '<sip:1@sip.example.com:5061;transport=tls;ob>;expires=5',
  )
  t.equal(
    fill('contact', '<sip:1@localhost;transport=tls>', tls),
    '<sip:1@sip.example.com:5061;transport=tls>',
  )
  t.equal(fill('contact', '*'), '*')
  t.equal(
    fill('from', 'sip:1@localhost', { host: '2001:db8::1', port: 5060, transport: 'udp' }),
    '<sip:1@[2001:db8::1]:5060>',
  )
})

const parts = {
  uri: 'sip:target@h',
  routes: ['<sip:p1;lr>', '<sip:p2;lr>'],
  callId: 'call',
  cseq: 9,
  from: '"Me" <sip:me@a>;tag=mine',
  to: '<sip:you@b>;tag=yours',
  contact: '<sip:me@192.0.2.1:5060>',
}

t.test('in a dialog identity is the dialog’s', async (t) => {
  const compose = (method: string, text: string): string =>
    serializeMessage(composeDialogRequest(method, partial(text), parts, udp)).toString()
  const info = compose(
    'INFO',
    'INFO sip:placeholder SIP/2.0\nCall-ID: other\nCSeq: 99 INFO\nFrom: <sip:new@a>;tag=no\nTo: sip:x@y\nRoute: <sip:evil>\nX-A: 1\n\n',
  )
  t.equal(
    info,
    [
      'INFO sip:target@h SIP/2.0',
      'Max-Forwards: 70',
      'From: <sip:new@a>;tag=mine',
      'To: <sip:x@y>;tag=yours',
      'Call-ID: call',
      'CSeq: 9 INFO',
      'Route: <sip:p1;lr>',
      'Route: <sip:p2;lr>',
      'X-A: 1',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n'),
  )
  t.match(compose('INVITE', 'INVITE x:y SIP/2.0\n\n'), 'Contact: <sip:me@192.0.2.1:5060>\r\n')
  t.match(
    compose('INVITE', 'INVITE x:y SIP/2.0\nContact: <sip:z@localhost>\n\n'),
    'Contact: <sip:z@192.0.2.1:5060>\r\n',
  )
  t.match(compose('BYE', 'BYE x:y SIP/2.0\n\n'), 'From: "Me" <sip:me@a>;tag=mine\r\n')
  t.throws(() => compose('INFO', 'INFO x:y SIP/2.0\n\nbody'), /missing content-type/)
})

t.test('responses copy what RFC 3261 §8.2.6 says', async (t) => {
  const invite = parseMessage(
    Buffer.from(
      'INVITE sip:a@h SIP/2.0\r\nVia: SIP/2.0/UDP p2;branch=z9hG4bK2, SIP/2.0/UDP p1;branch=z9hG4bK1\r\nRecord-Route: <sip:r2;lr>\r\nRecord-Route: <sip:r1;lr>\r\nFrom: <sip:x@y>;tag=f\r\nTo: <sip:a@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
    ),
  )
  if (invite.kind !== 'request') throw new Error('no request')
  const respond = (text: string, contact?: string): string => {
    const message = partial(text)
    const own = { toTag: 't', contact, extra: [], local: udp }
    const line = parseStatusLine(message.startLine)!
    return serializeMessage(composeResponse(invite, line, message, own)).toString()
  }
  const ok = respond('SIP/2.0 200 Fine\nTo: <sip:evil>\nCSeq: 9 BYE\nX-A: 1\n\nv=0', '<sip:me>')
  t.equal(
    ok,
    [
      'SIP/2.0 200 Fine',
      'Via: SIP/2.0/UDP p2;branch=z9hG4bK2, SIP/2.0/UDP p1;branch=z9hG4bK1',
      'Record-Route: <sip:r2;lr>',
      'Record-Route: <sip:r1;lr>',
      'From: <sip:x@y>;tag=f',
      'To: <sip:a@h>;tag=t',
      'Call-ID: c',
      'CSeq: 1 INVITE',
      'Contact: <sip:me>',
      'X-A: 1',
      'Content-Type: application/sdp',
      'Content-Length: 3',
      '',
      'v=0',
    ].join('\r\n'),
  )
  t.match(respond('SIP/2.0 200 \n\n'), /^SIP\/2.0 200 OK\r\n/)
  t.match(
    respond('SIP/2.0 200\nContact: <sip:own@localhost>\n\n', '<sip:me>'),
    'Contact: <sip:own@192.0.2.1:5060>',
  )
})

t.test('status lines, tags and CANCEL headers', async (t) => {
  t.same(parseStatusLine('SIP/2.0 486 Busy Here'), { status: 486, reason: 'Busy Here' })
  for (const line of ['SIP/2.0 999 x', 'SIP/2.0 20', 'SIP/2.0 abc', 'HTTP/1.1 200 OK']) {
    t.equal(parseStatusLine(line), undefined, line)
  }
  t.equal(toTagOf(partial('SIP/2.0 200 OK\nto: sip:a@b;tag=x\n\n')), 'x')
  t.equal(toTagOf(partial('SIP/2.0 200 OK\nto: <sip:a@b;tag=no>\n\n')), undefined)
  t.equal(toTagOf(partial('SIP/2.0 200 OK\n\n')), undefined)
  t.equal(
    withTag('"a;tag=q" <sip:a@b;tag=u>; tag = old ;x=1', 'new'),
    '"a;tag=q" <sip:a@b;tag=u>;x=1;tag=new',
  )
  const cancel = partial(
    'CANCEL sip:a@b SIP/2.0\nFrom: x\nTo: y\nContact: z\nP-Asserted-Identity: q\nVia: v\nReason: SIP;cause=200\nX-A: 1\n\n',
  )
  t.same(
    cancelHeaders(cancel).map((line) => line.name),
    ['Reason', 'X-A'],
  )
})
