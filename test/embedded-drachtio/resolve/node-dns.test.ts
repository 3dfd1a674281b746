import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { type DnsPort, nodeDns } from '../../../src/embedded-drachtio/resolve/index.ts'

const NXDOMAIN = 3
const SERVFAIL = 2

/** Length-prefixed labels (RFC 1035 §3.1). */
function name(text: string): Buffer {
  const labels = text.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]))
  return Buffer.concat([...labels, Buffer.alloc(1)])
}

function text(value: string): Buffer {
  return Buffer.from([value.length, ...Buffer.from(value)])
}

function numbers(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 2)
  for (const [i, value] of values.entries()) bytes.writeUInt16BE(value, i * 2)
  return bytes
}

/** What the server knows: type number and name to record data, or a response code. */
const zone: Record<string, Buffer[] | number> = {
  '1 a.example': [Buffer.from([192, 0, 2, 1]), Buffer.from([192, 0, 2, 2])],
  '28 a.example': [Buffer.from('20010db8000000000000000000000001', 'hex')],
  '33 _sip._tcp.a.example': [Buffer.concat([numbers(10, 20, 5070), name('srv.a.example')])],
  '35 a.example': [
    Buffer.concat([
      numbers(50, 60),
      text('s'),
      text('SIP+D2T'),
      text(''),
      name('_sip._tcp.a.example'),
    ]),
  ],
  '1 broken.example': SERVFAIL,
}

/** A DNS server on loopback that answers from the zone with a lifetime of 77 s. */
async function server(t: { teardown(fn: () => unknown): void }): Promise<DnsPort> {
  const socket = createSocket('udp4')
  socket.on('message', (query, remote) => {
    const end = query.indexOf(0, 12) + 5
    const labels: string[] = []
    for (let at = 12; query[at]; at += query[at]! + 1) {
      labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!))
    }
    const key = `${query.readUInt16BE(end - 4)} ${labels.join('.').toLowerCase()}`
    const known = zone[key] ?? (key.endsWith('a.example') ? [] : NXDOMAIN)
    const records = typeof known === 'number' ? [] : known
    const head = Buffer.concat([
      query.subarray(0, 2),
      numbers(0x8180 | (typeof known === 'number' ? known : 0), 1, records.length, 0, 0),
      query.subarray(12, end),
    ])
    const answers = records.map((data) =>
      Buffer.concat([numbers(0xc00c, query.readUInt16BE(end - 4), 1, 0, 77, data.length), data]),
    )
    socket.send(Buffer.concat([head, ...answers]), remote.port, remote.address)
  })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => socket.close())
  return nodeDns([`127.0.0.1:${socket.address().port}`])
}

t.test('records as the resolver wants them', async (t) => {
  const dns = await server(t)
  t.same(await dns.a('a.example'), [
    { address: '192.0.2.1', ttl: 77 },
    { address: '192.0.2.2', ttl: 77 },
  ])
  t.same(await dns.aaaa('a.example'), [{ address: '2001:db8::1', ttl: 77 }])
  t.match(await dns.srv('_sip._tcp.a.example'), [
    { priority: 10, weight: 20, port: 5070, name: 'srv.a.example' },
  ])
  t.match(await dns.naptr('a.example'), [
    {
      order: 50,
      preference: 60,
      flags: 's',
      service: 'SIP+D2T',
      regexp: '',
      replacement: '_sip._tcp.a.example',
    },
  ])
})

t.test(
  'no such name and no such type are empty answers, a failing server is an error',
  async (t) => {
    const dns = await server(t)
    t.same(await dns.a('nowhere.example'), [])
    t.same(await dns.srv('nowhere.a.example'), [])
    t.same(await dns.naptr('nowhere.example'), [])
    await t.rejects(dns.a('broken.example'))
  },
)

t.test('the hosts file answers lookup', async (t) => {
  const dns = nodeDns()
  const addresses = await dns.lookup('localhost')
  t.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'), addresses.join())
})
