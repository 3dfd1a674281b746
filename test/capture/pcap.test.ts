import t from 'tap'
import { pcapOf } from '../../src/capture/index.ts'
import { readPcap } from '../support/pcap-read.ts'
import { kept } from './support.ts'

t.test('a capture file: addresses, times, text, lengths and checksums', async (t) => {
  const text = 'OPTIONS sip:ä SIP/2.0\r\n\r\n'
  const packets = readPcap(
    pcapOf([
      kept({ at: 1_795_196_871_596.25, text }),
      kept({ dir: 'out', transport: 'tls', text: `${text}x` }),
      kept({ localAddress: '2001:db8::1', remoteAddress: '2001:db8::2', remotePort: 40_000, text }),
      kept({ localAddress: '::ffff:10.0.0.5', remoteAddress: '::ffff:10.0.0.9' }),
      kept({ localAddress: '::', remoteAddress: '10.0.0.9' }),
      kept({ localAddress: 'fe80::1%eth0', remoteAddress: 'nonsense', text: '' }),
    ]),
  )
  t.ok(packets.every(({ sound }) => sound))
  t.match(packets[0], {
    time: 1_795_196_871.59625,
    source: '10.0.0.9 5062',
    destination: '10.0.0.5 5060',
    text,
  })
  t.match(packets[1], { source: '10.0.0.5 5060', destination: '10.0.0.9 5062', text: `${text}x` })
  t.match(packets[2], { source: '2001:0db8:0000:0000:0000:0000:0000:0002 40000', text })
  t.match(packets[3], { source: '10.0.0.9 5062' })
  t.match(packets[4], { source: '0000:0000:0000:0000:0000:ffff:0a00:0009 5062' })
  t.match(packets[5], { destination: 'fe80:0000:0000:0000:0000:0000:0000:0001 5060', text: '' })
})

t.test('every sum of octets has a right checksum', async (t) => {
  const messages = Array.from({ length: 600 }, (_, index) =>
    kept({ text: `${'x'.repeat(index % 7)}${index}`, remotePort: index * 109 }),
  )
  t.ok(readPcap(pcapOf(messages)).every(({ sound }) => sound))
})

t.test('no messages make an empty file; one that no packet holds is cut', async (t) => {
  t.same(readPcap(pcapOf([])), [])
  const [packet] = readPcap(pcapOf([kept({ text: 'x'.repeat(70_000) })]))
  t.ok(packet!.sound)
  t.equal(packet!.text.length, 65_487)
})
