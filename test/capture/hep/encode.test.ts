import t from 'tap'
import { encodeHep } from '../../../src/capture/hep/encode.ts'
import { decodeHep } from '../../support/hep-decode.ts'
import { kept } from '../support.ts'

t.test('IPv4 by UDP, with key and correlation', async (t) => {
  const message = kept({ at: 1_795_196_871_596.25 })
  const packet = decodeHep(encodeHep(message, { id: 4_294_967_295, password: 'pw' }, 'c1')!)
  t.match(packet, {
    family: 2,
    protocol: 17,
    source: '10.0.0.9',
    destination: '10.0.0.5',
    sourcePort: 5062,
    destinationPort: 5060,
    time: 1_795_196_871.59625,
    kind: 1,
    agent: 4_294_967_295,
    key: 'pw',
    correlation: 'c1',
    payload: message.text,
  })
  t.same(packet.chunks, [1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 14, 17, 15])
})

t.test('IPv6 by TLS on its way out, without key or correlation', async (t) => {
  const message = kept({
    dir: 'out',
    transport: 'tls',
    localAddress: '2001:db8::1',
    remoteAddress: '2001:db8::2',
    text: 'ä',
  })
  t.match(decodeHep(encodeHep(message, { id: 1, password: undefined }, '')!), {
    family: 10,
    protocol: 6,
    source: '2001:0db8:0000:0000:0000:0000:0000:0001',
    destination: '2001:0db8:0000:0000:0000:0000:0000:0002',
    key: undefined,
    correlation: undefined,
    payload: 'ä',
  })
})

t.test('a message that no datagram holds is none', async (t) => {
  const agent = { id: 1, password: undefined }
  t.equal(encodeHep(kept({ text: 'x'.repeat(65_500) }), agent, 'c'), undefined)
  t.equal(
    decodeHep(encodeHep(kept({ text: 'x'.repeat(65_000) }), agent, 'c')!).payload.length,
    65_000,
  )
})
