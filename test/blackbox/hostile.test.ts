import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { makeCert } from '../support/certificates.ts'
import { until } from '../support/until.ts'
import { businessTalk, MetaInvite, metaBye, pbxBye, pbxInvite, userTalk } from './support/calls.ts'
import { hangUpAll, type Lab, withLab } from './support/lab.ts'
import { fresh, Sip, write } from './support/message.ts'

const TORTURE = 'test/fixtures/sip/torture'

/** Causeway is as before: a call each way. */
async function unharmed(t: Test, lab: Lab, what: string): Promise<void> {
  await metaBye(lab, await userTalk(lab))
  await pbxBye(lab, await businessTalk(lab))
  const ready = await lab.http('/readyz')
  t.equal(ready.status, 200, `calls work after ${what}`)
}

const torture = readdirSync(TORTURE).map((name) => readFileSync(`${TORTURE}/${name}`))

/** Things that are no SIP, or hardly. */
const garbage: (string | Buffer)[] = [
  Buffer.alloc(1),
  Buffer.alloc(1300, 0xff),
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
  '\r\n\r\n\r\n\r\n',
  'INVITE\r\n\r\n',
  'INVITE sip:x SIP/3.0\r\n\r\n',
  'SIP/2.0 200 OK\r\n\r\n',
  'INVITE sip:a@b SIP/2.0\r\nContent-Length: -1\r\n\r\n',
  'INVITE sip:a@b SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP \r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n',
  `INVITE sip:${'a'.repeat(3000)}@b SIP/2.0\r\nContent-Length: 0\r\n\r\n`,
  'OPTIONS sip:__proto__@x SIP/2.0\r\n__proto__: x\r\nconstructor: y\r\nContent-Length: 0\r\n\r\n',
]

t.test('datagrams nobody should send', (t) =>
  withLab(t, {}, async (lab) => {
    const big = (size: number): string =>
      pbxInvite(lab, { headers: [['X-A', 'a'.repeat(size)]] }).raw
    for (const bytes of [...torture, ...garbage]) lab.pbx.send(lab.at.udp, bytes)
    await unharmed(t, lab, 'torture and garbage')
    lab.pbx.send(lab.at.udp, big(64_000))
    const many = Array.from({ length: 1000 }, (_, i): [string, string] => [`X-${i}`, 'y'])
    lab.pbx.send(lab.at.udp, pbxInvite(lab, { headers: many }).raw)
    const routes = Array.from({ length: 300 }, (): [string, string] => [
      'Record-Route',
      '<sip:a;lr>',
    ])
    lab.pbx.send(lab.at.udp, pbxInvite(lab, { headers: routes }).raw)
    for (let i = 0; i < 2000; i++) {
      lab.pbx.send(
        lab.at.udp,
        write('SIP/2.0 200 OK', [
          ['Via', `SIP/2.0/UDP 127.0.0.1:${lab.at.udp};branch=${fresh('z9hG4bK')}`],
          ['From', '<sip:a@b>;tag=1'],
          ['To', '<sip:a@b>;tag=2'],
          ['Call-ID', fresh('flood')],
          ['CSeq', '1 INVITE'],
        ]),
      )
    }
    await hangUpAll(lab)
    await unharmed(t, lab, 'large datagrams and a flood of responses')
  }),
)

t.test('streams nobody should send, on TCP and TLS', (t) =>
  withLab(t, {}, async (lab) => {
    for (const bytes of [...torture, ...garbage]) {
      const tcp = await lab.pbx.dial(lab.at.tcp)
      tcp.send(bytes)
      tcp.socket.end()
      const tls = await lab.wa.dial(lab.at.whatsapp)
      tls.send(bytes)
      tls.socket.end()
    }
    for (const open of [() => lab.pbx.dial(lab.at.tcp), () => lab.wa.dial(lab.at.whatsapp)]) {
      for (const endless of ['a', 'X-Header: a\r\n', 'INVITE sip:a@b SIP/2.0\r\nVia: ']) {
        const line = await open()
        const flood = setInterval(() => line.send(endless.repeat(20_000)), 1)
        let closed = false
        void line.closed.then(() => {
          closed = true
        })
        await until(`the end of a message without one: ${endless}`, () => closed).finally(() =>
          clearInterval(flood),
        )
        t.ok(closed, 'a message without an end closes the connection')
      }
      const line = await open()
      const body = 'v'.repeat(70_000)
      line.send(pbxInvite(lab, { body, transport: 'TCP' }).raw)
      const many = Array.from({ length: 1000 }, (_, i): [string, string] => [`X-${i}`, 'y'])
      const second = await open()
      second.send(pbxInvite(lab, { headers: many, transport: 'TCP' }).raw)
    }
    await hangUpAll(lab)
    await unharmed(t, lab, 'hostile streams')
  }),
)

t.test('TLS in every unusual way', (t) =>
  withLab(t, {}, async (lab) => {
    const { whatsapp } = lab.at
    const idle = Array.from({ length: 30 }, () =>
      connect(whatsapp, '127.0.0.1').on('error', () => {}),
    )
    const half = connect(whatsapp, '127.0.0.1')
    half.on('error', () => {})
    half.write(Buffer.from('16030100c8010000c4', 'hex'))
    const plain = connect(whatsapp, '127.0.0.1')
    plain.on('error', () => {})
    plain.write(new MetaInvite().text())

    const alpn = await lab.wa
      .dial(whatsapp, { ALPNProtocols: ['sip', 'sips/2'] })
      .catch(() => undefined)
    t.ok(alpn, 'a client with ALPN is served')
    const card = await lab.wa.dial(whatsapp, makeCert({ ca: lab.ca, dns: ['client.example'] }))
    const old = lab.wa.dial(whatsapp, { maxVersion: 'TLSv1.1', minVersion: 'TLSv1' })
    await t.rejects(old, 'TLS 1.1 is refused')
    const unnamed = await lab.wa.dial(whatsapp, {
      servername: '',
      checkServerIdentity: () => undefined,
    })
    for (const line of [alpn!, card, unnamed]) {
      const meta = new MetaInvite()
      line.send(meta.text())
      t.ok(await lab.wa.inbox.take({ status: 407, callId: meta.callId }))
    }

    const slow = await lab.wa.dial(whatsapp)
    slow.socket.setNoDelay(true)
    const meta = new MetaInvite()
    const bytes = Buffer.from(meta.text())
    for (const byte of bytes) {
      slow.send(Buffer.of(byte))
      if (byte === 10) await new Promise((resolve) => setImmediate(resolve))
    }
    t.ok(await lab.wa.inbox.take({ status: 407, callId: meta.callId }), 'byte by byte')

    slow.send('\r\n\r\n')
    slow.send('\r\n\r\n')
    const [first, second] = [new MetaInvite(), new MetaInvite()]
    slow.send(`\r\n\r\n${first.text()}\r\n\r\n${second.text()}`)
    t.ok(await lab.wa.inbox.take({ status: 407, callId: second.callId }), 'pipelined, after pings')
    t.ok(slow.cutter.crlfs > 0, 'pings are answered (RFC 5626 §4.4.1)')
    await unharmed(t, lab, 'unusual TLS')
    for (const socket of [...idle, half, plain]) socket.destroy()
  }),
)

t.test('requests that are not calls, on every listener', (t) =>
  withLab(t, {}, async (lab) => {
    const tls = await lab.wa.dial(lab.at.whatsapp)
    const tcp = await lab.pbx.dial(lab.at.tcp)
    const roads: [string, (text: string) => void, Lab['wa']['inbox']][] = [
      ['UDP', (text) => lab.pbx.send(lab.at.udp, text), lab.pbx.inbox],
      ['TCP', (text) => tcp.send(text), lab.pbx.inbox],
      ['TLS', (text) => tls.send(text), lab.wa.inbox],
    ]
    const rows: [string, number[], [string, string][]][] = [
      ['OPTIONS', [200], []],
      ['REGISTER', [403, 405, 501], []],
      ['SUBSCRIBE', [405, 501], []],
      ['FROBNICATE', [405, 501], []],
      ['MESSAGE', [405, 501], []],
      ['REFER', [405, 501, 603], []],
      ['UPDATE', [481], [['To', '<sip:x@y>;tag=gone']]],
      ['BYE', [481], [['To', '<sip:x@y>;tag=gone']]],
      ['BYE', [481], []],
      ['CANCEL', [481], []],
      ['OPTIONS', [483, 200], [['Max-Forwards', '0']]],
      ['INVITE', [400, 403, 404, 407, 480, 488, 606], []],
    ]
    for (const [transport, send, inbox] of roads) {
      for (const [method, expected, extra] of rows) {
        const callId = fresh('stray-')
        const given = new Set(extra.map(([name]) => name))
        const defaults: [string, string][] = [
          ['Max-Forwards', '70'],
          ['To', '<sip:x@127.0.0.1>'],
        ]
        const text = write(`${method} sip:x@127.0.0.1 SIP/2.0`, [
          [
            'Via',
            `SIP/2.0/${transport} 127.0.0.1:${lab.pbx.udpPort};branch=${fresh('z9hG4bK')};rport`,
          ],
          ...defaults.filter(([name]) => !given.has(name)),
          ...extra,
          ['From', `<sip:stray@127.0.0.1>;tag=${fresh('s')}`],
          ['Call-ID', callId],
          ['CSeq', `1 ${method}`],
          ['Contact', '<sip:stray@127.0.0.1>'],
        ])
        send(text)
        const { sip } = await inbox.take({ status: (status) => status >= 200, callId })
        const allowed = transport === 'TLS' && method === 'INVITE' ? [404] : expected
        t.ok(allowed.includes(sip.status), `${transport} ${method} ${extra}: ${sip.start}`)
        if (sip.status === 405) t.match(sip.get('Allow'), /INVITE/, 'RFC 3261 §8.2.1')
        if (sip.status === 200) t.match(sip.get('Allow'), /INVITE, ACK, BYE, CANCEL/)
        t.equal(sip.all('To').length, 1)
      }
    }
    const reliable = pbxInvite(lab, { headers: [['Require', 'timer, 100rel, x-new']] })
    lab.pbx.send(lab.at.udp, reliable.raw)
    const { sip } = await lab.pbx.inbox.take({ status: 420, callId: reliable.callId })
    t.equal(sip.get('Unsupported'), 'x-new')
    t.same(lab.wa.inbox.requests(), [], 'nothing of it went on')
    await unharmed(t, lab, 'stray requests')
  }),
)

t.test('merged requests (RFC 3261 §8.2.2.2)', (t) =>
  withLab(t, {}, async (lab) => {
    const invite = pbxInvite(lab)
    const other = invite.raw.replace(/branch=z9hG4bK/, 'branch=z9hG4bKother')
    lab.pbx.send(lab.at.udp, invite.raw)
    lab.pbx.send(lab.at.udp, other)
    const { sip } = await lab.pbx.inbox.take({
      status: (status) => status >= 400,
      callId: invite.callId,
    })
    t.equal(sip.status, 482)
    t.match(new Sip(other).get('Via').includes('other') && sip.get('Via'), /other/)
    await lab.wa.inbox.take({ method: 'INVITE' })
    t.equal(lab.wa.inbox.count({ method: 'INVITE' }), 1)
    await hangUpAll(lab)
  }),
)
