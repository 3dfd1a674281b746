import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import { mediaLines } from '../../src/cli/media-lines.ts'
import type { CallMediaReport, LegReport, StreamReport } from '../../src/media/index.ts'

const plain = (_style: string, text: string): string => text

const stream: StreamReport = {
  packets: 1500,
  octets: 60_000,
  lost: 15,
  lossRate: 0.01,
  burstRate: 0,
  jitterMs: 2.25,
  reordered: 0,
  duplicates: 0,
  firstPacketAfterMs: 12,
  longestGapMs: 40,
  mos: 4.2,
}

const leg: LegReport = {
  codec: 'opus',
  payloadType: 111,
  ptimeReceived: 20,
  srtp: { mode: 'sdes', suite: 'AES_CM_128_HMAC_SHA1_80' },
  local: '203.0.113.10:20000',
  remote: '198.51.100.130:3480',
  ice: undefined,
  dtls: undefined,
  received: stream,
  sent: { ...stream, lost: 0, lossRate: 0 },
  rttMs: 48.6,
  discarded: { auth: 0, replayed: 0, wrongSource: 120, wrongPayloadType: 0, malformed: 0 },
  silenceInserted: 7,
  held: false,
}

const report: CallMediaReport = {
  at: 0,
  legs: { whatsapp: leg, pbx: { ...leg, srtp: { mode: 'none', suite: undefined }, held: true } },
  transcoding: true,
  verdicts: [
    {
      code: 'MEDIA_SILENT_PBX',
      side: 'pbx',
      owner: 'pbx',
      detail: 'no packet from 10.0.0.9:4000 for 5 s; 120 from 10.0.0.7:4000 discarded',
      fix: 'Check that the PBX reaches media.listen on media.ports by UDP, and its NAT settings.',
      since: 0,
      clearedAt: undefined,
    },
  ],
  verdict: 'one-way',
  dtmf: [{ side: 'whatsapp', digit: '5', at: 0 }],
}

const lines = (change: Partial<CallRecord>): string[] =>
  mediaLines({ report: undefined, verdicts: [], ...change } as CallRecord, plain)

t.test('a call without figures says nothing', async (t) => {
  t.same(lines({}), [])
})

t.test('legs of a call that nobody answered are not shown: nothing was agreed', async (t) => {
  const none: StreamReport = { ...stream, packets: 0, lost: 0, lossRate: 0 }
  const unanswered: LegReport = { ...leg, remote: undefined, received: none, sent: none }
  const quiet: CallMediaReport = {
    ...report,
    legs: { whatsapp: unanswered, pbx: { ...leg, received: none, sent: none } },
    verdict: 'none',
    transcoding: false,
    verdicts: [],
    dtmf: [],
  }
  const text = lines({ report: quiet }).join('\n')
  t.match(text, /audio {5}no media\n/)
  t.notMatch(text, /WhatsApp|nowhere/)
  t.match(text, /PBX/, 'one whose far end is known is')
})

t.test('figures of both legs, what was discarded, and the verdict with its fix', async (t) => {
  const shown = lines({ report })
  const text = shown.join('\n')
  t.match(text, /audio {5}one-way: one side is not heard, transcoded\n/)
  t.match(text, /WhatsApp {2}opus, AES_CM_128_HMAC_SHA1_80, 203\.0\.113\.10:20000 ↔/)
  t.match(text, /round trip 49 ms/)
  t.match(text, /heard 1500 packets, 15 lost \(1\.0 %\), jitter 2\.3 ms, first after/)
  t.match(text, /sent {2}1500 packets, 0 lost, /)
  t.match(text.replace(/\s+/g, ' '), 'MOS 4.2, 7 of silence')
  t.match(text, /discarded 120 from elsewhere/)
  t.match(text, /PBX {7}opus, plain RTP, .*\n? .*held/)
  t.match(text, /keys {6}5 \(whatsapp\)/)
  t.match(text, /MEDIA_SILENT_PBX \(stands\)\n {12}no packet from 10\.0\.0\.9:4000/)
  t.match(text, /fix: Check that the PBX reaches/)
  for (const line of shown) t.ok(line.length <= 80, line)
})

t.test('DTLS and ICE have a line of their own', async (t) => {
  const dtls: LegReport = {
    ...leg,
    srtp: { mode: 'dtls', suite: undefined },
    dtls: { role: 'client', cipher: undefined, state: 'connected' },
    ice: { local: '127.0.0.1:1', remote: '127.0.0.1:2', state: 'completed' },
  }
  const text = lines({ report: { ...report, legs: { whatsapp: dtls, pbx: undefined } } }).join('\n')
  t.match(text, 'opus, DTLS-SRTP, ')
  t.match(text, 'DTLS client, ICE 127.0.0.1:1 → 127.0.0.1:2')
})

t.test('a running call shows its verdicts before there are figures', async (t) => {
  const text = lines({ verdicts: [{ ...report.verdicts[0]!, clearedAt: 5 }] }).join('\n')
  t.match(text, 'MEDIA_SILENT_PBX (cleared)')
})
