import t from 'tap'
import {
  headerLine,
  headerValues,
  makeAckForFailure,
  makeCancel,
  makeRequest,
  makeResponse,
  parseMessage,
  reasonPhrase,
  type SipRequest,
  serializeMessage,
  withVia,
} from '../../../src/embedded-drachtio/message/index.ts'
import { crlf, invite, sdp } from './samples.ts'

function request(changes: Record<string, string> = {}): SipRequest {
  const message = parseMessage(invite(changes, sdp))
  if (message.kind !== 'request') throw new Error('no request')
  return message
}

const routed = {
  'Record-Route': '<sip:p1.example.com;lr>, <sip:p2.example.com;lr>',
  v: 'SIP/2.0/TCP 192.0.2.99;branch=z9hG4bKb',
  Timestamp: '54',
  Subject: 'not copied',
}

t.test('a response carries what RFC 3261 §8.2.6 names, in order', async (t) => {
  const response = makeResponse(request(routed), 180, undefined, {
    toTag: 'local',
    headers: [headerLine('contact', '<sip:us@192.0.2.1>')],
  })
  t.equal(
    serializeMessage(response).toString(),
    crlf(
      'SIP/2.0 180 Ringing',
      'Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK776asdhds',
      'From: "Alice" <sip:alice@pbx.example.net>;tag=1928301774',
      'To: <sip:+441632960123@sip.example.com>;tag=local',
      'Call-ID: a84b4c76e66710@192.0.2.10',
      'CSeq: 314159 INVITE',
      'Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr>',
      'Via: SIP/2.0/TCP 192.0.2.99;branch=z9hG4bKb',
      'Contact: <sip:us@192.0.2.1>',
      'Content-Length: 0',
      '',
      '',
    ),
  )
  t.match(response, { toTag: 'local', fromTag: '1928301774', method: 'INVITE', cseq: 314159 })
})

t.test('Record-Route, Timestamp and To tag depend on the status', async (t) => {
  const keys = (status: number): string[] =>
    makeResponse(request(routed), status, undefined, { toTag: 'x' }).headers.map(({ key }) => key)
  t.notOk(keys(100).includes('record-route'))
  t.ok(keys(100).includes('timestamp'))
  t.ok(keys(200).includes('record-route'))
  t.notOk(keys(200).includes('timestamp'))
  t.notOk(keys(486).includes('record-route'))
  const inDialog = makeResponse(request({ To: '<sip:a@b.com>;tag=old' }), 200, 'Fine', {
    toTag: 'new',
    body: 'ü',
  })
  t.match(inDialog, { toTag: 'old', reason: 'Fine' })
  t.same(headerValues(inDialog.headers, 'to'), ['<sip:a@b.com>;tag=old'])
  t.equal(inDialog.body?.length, 2)
  t.equal(makeResponse(request(), 100).toTag, '')
})

t.test('changing a response leaves its request alone', async (t) => {
  const original = request()
  makeResponse(original, 200).headers[0]!.value = 'changed'
  t.match(original.headers[0]!.value, /^SIP/)
})

t.test('a request is built without Via and given one for each target', async (t) => {
  const built = makeRequest({
    method: 'INVITE',
    uri: 'sip:b@c.com',
    callId: 'x',
    cseq: 1,
    from: '"tag=no" <sip:a@b.com;tag=no>;tag=f',
    to: 'sip:b@c.com;tag=t',
    headers: [headerLine('route', '<sip:p;lr>')],
    body: sdp,
  })
  t.match(built, { fromTag: 'f', toTag: 't', method: 'INVITE' })
  const sent = withVia(built, {
    transport: 'TLS',
    host: '2001:db8::1',
    port: 5061,
    branch: 'z9hG4bKx',
    rport: 0,
    received: undefined,
  })
  t.equal(built.headers[0]!.key, 'max-forwards')
  const read = parseMessage(serializeMessage(sent))
  t.same(read.via, sent.via)
  t.same(
    read.headers.map(({ key }) => key),
    ['via', 'max-forwards', 'from', 'to', 'call-id', 'cseq', 'route', 'content-length'],
  )
  t.equal(read.body?.toString(), sdp)
})

t.test('the ACK of a failure follows RFC 3261 §17.1.1.3', async (t) => {
  const sent = request({ ...routed, Route: '<sip:p1.example.com;lr>' })
  const response = makeResponse(sent, 486, undefined, { toTag: 'remote' })
  const ack = makeAckForFailure(sent, response)
  t.equal(
    serializeMessage(ack).toString(),
    crlf(
      'ACK sip:+441632960123@sip.example.com SIP/2.0',
      'Via: SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK776asdhds',
      'From: "Alice" <sip:alice@pbx.example.net>;tag=1928301774',
      'To: <sip:+441632960123@sip.example.com>;tag=remote',
      'Call-ID: a84b4c76e66710@192.0.2.10',
      'Route: <sip:p1.example.com;lr>',
      'CSeq: 314159 ACK',
      'Max-Forwards: 70',
      'Content-Length: 0',
      '',
      '',
    ),
  )
  t.match(ack, { method: 'ACK', toTag: 'remote', via: { branch: 'z9hG4bK776asdhds' } })
})

t.test('a CANCEL follows RFC 3261 §9.1', async (t) => {
  const sent = request({ Via: 'SIP/2.0/UDP a;branch=z9hG4bK1 , SIP/2.0/UDP b;branch=z9hG4bK2' })
  const cancel = makeCancel(sent, [headerLine('Reason', 'SIP;cause=200')])
  t.same(headerValues(cancel.headers, 'via'), ['SIP/2.0/UDP a;branch=z9hG4bK1'])
  t.same(headerValues(cancel.headers, 'to'), ['<sip:+441632960123@sip.example.com>'])
  t.same(headerValues(cancel.headers, 'cseq'), ['314159 CANCEL'])
  t.same(headerValues(cancel.headers, 'reason'), ['SIP;cause=200'])
  t.same(headerValues(cancel.headers, 'contact'), [])
  t.match(cancel, { method: 'CANCEL', toTag: '', body: undefined })
  t.equal(parseMessage(serializeMessage(cancel)).method, 'CANCEL')
})

t.test('reason phrases', async (t) => {
  t.equal(reasonPhrase(487), 'Request Terminated')
  t.equal(reasonPhrase(299), 'Success')
  t.equal(reasonPhrase(699), 'Failure')
  t.equal(reasonPhrase(42), '')
})
