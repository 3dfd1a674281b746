import t from 'tap'
import { parseMessage } from '../../src/embedded-drachtio/message/index.ts'
import { METHODS, Traffic } from '../../src/embedded-drachtio/traffic.ts'

function request(method: string): Buffer {
  return Buffer.from(
    `${method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n` +
      `To: <sip:a@b>\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\n\r\n`,
  )
}

function response(status: number): Buffer {
  return Buffer.from(
    `SIP/2.0 ${status} Text\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n` +
      'To: <sip:a@b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n',
  )
}

const names = { domains: new Map([['wa.meta.vc', 'whatsapp']]), others: 'pbx' }

t.test('each method is counted by its name, in both ways', async (t) => {
  const traffic = new Traffic(names)
  const peer = traffic.ofListener('whatsapp')
  for (const method of METHODS.filter((name) => name !== 'other')) {
    traffic.sent(request(method), peer)
    traffic.received(parseMessage(request(method)), peer)
  }
  const other = METHODS.indexOf('other')
  const [counts] = traffic.counts()
  for (const way of ['in', 'out'] as const) {
    counts!.requests[way].forEach((value, index) => {
      t.equal(value, index === other ? 0 : 1, `${way} ${METHODS[index]}`)
    })
  }
  traffic.received(parseMessage(request('FOO')), peer)
  traffic.sent(request('FOO'), peer)
  t.equal(traffic.counts()[0]!.requests.in[other], 1)
  t.equal(traffic.counts()[0]!.requests.out[other], 1)
})

t.test('responses by class', async (t) => {
  const traffic = new Traffic(names)
  const peer = traffic.ofListener('pbx')
  for (const status of [100, 180, 200, 302, 407, 486, 503, 603]) {
    traffic.sent(response(status), peer)
    traffic.received(parseMessage(response(status)), peer)
  }
  const [counts] = traffic.counts()
  t.same(counts!.responses, { in: [2, 1, 1, 2, 1, 1], out: [2, 1, 1, 2, 1, 1] })
})

t.test('peers: by listener, by domain, and what names none', async (t) => {
  const traffic = new Traffic(names)
  t.equal(traffic.ofListener('whatsapp'), traffic.ofDomain('wa.meta.vc'))
  t.equal(traffic.ofListener(undefined), traffic.ofDomain('192.0.2.7'))
  t.not(traffic.ofDomain('wa.meta.vc'), traffic.ofDomain('192.0.2.7'))
  traffic.sent(request('BYE'), undefined)
  traffic.repeated('out', 'request', undefined)
  traffic.repeated('in', 'response', traffic.ofDomain('wa.meta.vc'))
  traffic.responded(40, traffic.ofDomain('wa.meta.vc'))
  t.match(traffic.counts(), [
    {
      peer: 'whatsapp',
      repeated: { in: { request: 0, response: 1 }, out: { request: 0, response: 0 } },
      response: { count: 1, sum: 0.04 },
    },
    { peer: 'pbx', repeated: { out: { request: 1, response: 0 } }, response: { count: 0 } },
  ])
})

t.test('bytes that are no message count nowhere, and break nothing', async (t) => {
  const traffic = new Traffic(names)
  traffic.sent(Buffer.from('SIP'), undefined)
  traffic.sent(Buffer.alloc(0), undefined)
  const [counts] = traffic.counts()
  t.same(counts!.responses.out, [0, 0, 0, 0, 0, 0])
})
