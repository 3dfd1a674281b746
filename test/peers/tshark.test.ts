import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { type KeptMessage, pcapOf, redactMessage } from '../../src/capture/index.ts'
import { install } from './support/install.ts'

const { command } = install('tshark')
const folder = mkdtempSync(join(tmpdir(), 'causeway-tshark-'))
t.teardown(() => rmSync(folder, { recursive: true }))

/** The fields of each packet of a capture file, as tshark reads them. */
function dissect(file: Buffer, fields: string[], ...options: string[]): string[][] {
  const path = join(folder, 'call.pcap')
  writeFileSync(path, file)
  const args = ['-r', path, '-T', 'fields', '-E', 'separator=|', ...options]
  const chosen = fields.flatMap((field) => ['-e', field])
  const { stdout, status, stderr } = spawnSync(command, [...args, ...chosen], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split('|'))
}

const BODY =
  'v=0\r\no=- 1 1 IN IP4 10.0.0.5\r\ns=-\r\nc=IN IP4 10.0.0.5\r\nt=0 0\r\nm=audio 30000 RTP/SAVP 8\r\n' +
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n'

function invite(change: Partial<KeptMessage>): KeptMessage {
  const text =
    'INVITE sip:+441632960123@sip.example.com SIP/2.0\r\nVia: SIP/2.0/TLS 10.0.0.9:5061;branch=z9hG4bK1\r\n' +
    'From: <sip:+33199001234@wa.meta.vc>;tag=1\r\nTo: <sip:+441632960123@sip.example.com>\r\n' +
    'Call-ID: one@wa\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContent-Type: application/sdp\r\n' +
    `Authorization: Digest username="a", realm="r", nonce="cafe", uri="sip:x", response="beef"\r\n` +
    `Content-Length: ${BODY.length}\r\n\r\n${BODY}`
  return {
    at: 1_795_196_871_596.25,
    dir: 'in',
    transport: 'udp',
    localAddress: '10.0.0.5',
    localPort: 5060,
    remoteAddress: '10.0.0.9',
    remotePort: 5060,
    callId: 'one@wa',
    text: redactMessage(text, 'full'),
    ...change,
  }
}

t.test('capture files: SIP and SDP are found by every transport and family', async (t) => {
  const rows = dissect(
    pcapOf([
      invite({}),
      invite({ dir: 'out', transport: 'tcp', remotePort: 43_211 }),
      invite({ transport: 'tls', localPort: 5061, remotePort: 43_211 }),
      invite({ localPort: 34_567, remotePort: 45_678 }),
      invite({ localAddress: '2001:db8::1', remoteAddress: '2001:db8::2' }),
    ]),
    [
      'frame.time_epoch',
      'ip.src',
      'ipv6.src',
      'udp.checksum.status',
      'sip.Method',
      'sip.Call-ID',
      'sdp.media.port_string',
      '_ws.malformed',
    ],
    ...['-o', 'udp.check_checksum:TRUE', '-o', 'ip.check_checksum:TRUE'],
  )
  const sip = ['1', 'INVITE', 'one@wa', '30000', '']
  const time = '1795196871.596250000'
  t.same(rows, [
    [time, '10.0.0.9', '', ...sip],
    [time, '10.0.0.5', '', ...sip],
    [time, '10.0.0.9', '', ...sip],
    [time, '10.0.0.9', '', ...sip],
    [time, '', '2001:db8::2', ...sip],
  ])
})
