/** Micro benchmark of the message layer: microseconds a message. `node test/bench/parse.ts` */
import {
  parseMessage,
  SipParseError,
  serializeMessage,
} from '../../src/embedded-drachtio/message/index.ts'

const crlf = (lines: string[]): string => lines.join('\r\n')

const sdp = crlf([
  'v=0',
  'o=- 1737 1737 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 20000 RTP/AVP 111 8 101',
  'a=rtpmap:111 opus/48000/2',
  'a=rtpmap:101 telephone-event/8000',
  '',
])

function invite(extra: string[], body: string): Buffer {
  return Buffer.from(
    crlf([
      'INVITE sip:+441632960123@sip.example.com;transport=tls SIP/2.0',
      'Via: SIP/2.0/TLS 192.0.2.10:5061;rport;branch=z9hG4bKPj3a9f2ad89e4a3df61408aa84f7d9a63e',
      ...extra,
      'Max-Forwards: 70',
      'From: "33199001234" <sip:+33199001234@pbx.example.net>;tag=8a0f7e65-6e9e-4801',
      'To: <sip:+441632960123@sip.example.com>',
      'Contact: <sip:+33199001234@192.0.2.10:5061;transport=tls>',
      'Call-ID: 1c0ff6a4-5a2e-4b8b-9d4f-1a2b3c4d5e6f',
      'CSeq: 31159 INVITE',
      'Content-Type: application/sdp',
      `Content-Length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ]),
  )
}

const proxied = invite(
  [
    'Record-Route: <sip:wa.example.net;transport=tls;lr>',
    'Record-Route: <sip:proxy.example.net:8191;transport=tls;lr>',
    'Via: SIP/2.0/TLS [2001:db8:f948:9597::1]:5061;branch=z9hG4bKPj3a9f2ad89e4a3df61408aa84f7d9',
    'x-wa-meta-wacid: wacid.HBgLMzMxOTkwMDEyMzQVAgASGCA2MUI2QUY0MDRCMTUyOTM4QkE5ODEwN0ZGQTAw',
    'x-wa-meta-user-id: FR.13491208655302741918',
    'Allow: INVITE, ACK, BYE, CANCEL, NOTIFY, OPTIONS',
    'User-Agent: Gateway',
  ],
  sdp.repeat(3),
)

const cases: [string, Buffer][] = [
  ['INVITE with SDP', invite([], sdp)],
  ['INVITE through two proxies', proxied],
  ['INVITE with UTF-8', invite(['Subject: déjà vu, Łódź'], sdp)],
  ['malformed INVITE', invite(['Contact: <sip:'], sdp)],
]

function measure(run: () => void): number {
  for (let i = 0; i < 20_000; i++) run()
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < 5; round++) {
    const start = process.hrtime.bigint()
    for (let i = 0; i < 20_000; i++) run()
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 20_000 / 1000)
  }
  return best
}

function attempt(bytes: Buffer): void {
  try {
    parseMessage(bytes)
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error
  }
}

for (const [name, bytes] of cases) {
  const micros = measure(() => attempt(bytes)).toFixed(2)
  console.log(
    `parse      ${name.padEnd(28)} ${String(bytes.length).padStart(5)} bytes ${micros.padStart(7)} µs`,
  )
}
for (const [name, bytes] of cases.slice(0, 3)) {
  const message = parseMessage(bytes)
  const micros = measure(() => serializeMessage(message)).toFixed(2)
  console.log(
    `serialize  ${name.padEnd(28)} ${String(bytes.length).padStart(5)} bytes ${micros.padStart(7)} µs`,
  )
}
