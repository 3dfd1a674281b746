import t from 'tap'
import { formatHearings, judge } from '../../../src/cli/demo/verdict.ts'
import type { MediaVerdict } from '../../../src/simulator/index.ts'

type Change = { sent?: number; tone?: number; received?: Partial<MediaVerdict['received']> } & {
  rejected?: number
}

/** One end that sends `tone` and hears the other one's. */
function end(frequency: number, hears: number, change: Change = {}): MediaVerdict {
  return {
    codec: 'opus',
    profile: 'RTP/SAVP',
    sent: { packets: change.sent ?? 60, ssrc: 1, frequency },
    received: {
      packets: 60,
      lost: 0,
      rtcp: 0,
      ssrcs: [1],
      irregular: 0,
      unknownPayloads: 0,
      undecodable: 0,
      tone: { frequency: hears, level: -16, ms: 1100 },
      silence: 0,
      other: 0,
      digits: [],
      ...change.received,
    },
    firstPacketAfter: 1,
    earlyBy: undefined,
    rejected: change.rejected ?? 0,
    heard: true,
  }
}

const faults = (whatsapp: MediaVerdict | undefined, pbx: MediaVerdict | undefined) =>
  judge('user-initiated', whatsapp, pbx).map((hearing) => hearing.faults)

t.test('good audio in both directions', async (t) => {
  const hearings = judge('user-initiated', end(440, 880), end(880, 440))
  t.match(hearings, [
    { from: 'WhatsApp', to: 'PBX', codec: 'opus', tone: 440, heard: 440, faults: [] },
    { from: 'PBX', to: 'WhatsApp', codec: 'opus', tone: 880, heard: 880, faults: [] },
  ])
  const [header, first] = formatHearings(hearings, (_style, text) => text)
  t.match(header, /^ {4}CALL +AUDIO +CODEC +PACKETS +LOST +HEARD$/)
  t.match(first, /^ {2}✓ user-initiated +WhatsApp → PBX +opus +60 +0 {2}440 Hz for 1\.1 s$/)
})

t.test('what is wrong is said, on the direction it concerns', async (t) => {
  const good = end(440, 880)
  const cases: [string, Change, RegExp][] = [
    ['nothing', { received: { packets: 0, tone: undefined } }, /nothing reached the PBX side/],
    ['noise', { received: { tone: undefined } }, /the PBX side recognised no tone/],
    [
      'its own tone',
      { received: { tone: { frequency: 880, level: -16, ms: 1100 } } },
      /880 Hz was heard instead of 440 Hz/,
    ],
    [
      'too little',
      { received: { tone: { frequency: 440, level: -16, ms: 900 } } },
      /the tone was heard for 900 ms only/,
    ],
    ['gaps', { received: { lost: 10 } }, /10 packets were lost/],
    ['wrong keys', { rejected: 3 }, /3 packets failed authentication/],
    ['two sources', { received: { ssrcs: [1, 2] } }, /the SSRC changed/],
  ]
  for (const [name, change, message] of cases) {
    const [toPbx, toWhatsApp] = faults(good, end(880, 440, change))
    t.match(toPbx, [message], name)
    t.same(toWhatsApp, [], `${name}: the other direction is good`)
  }
  t.same(faults(good, end(880, 440, { received: { lost: 2 } })), [[], []], 'a little loss is fine')
  t.match(faults(good, end(880, 440, { sent: 0 })), [[], [/the PBX side sent nothing/]])
  t.match(faults(undefined, undefined), [[/sent nothing/], [/sent nothing/]])
})

t.test('a fault is printed below its row', async (t) => {
  const hearings = judge('user-initiated', end(440, 880), end(880, 440, { rejected: 1 }))
  const lines = formatHearings(hearings, (_style, text) => text)
  t.match(lines[1], /^ {2}✗ /)
  t.match(lines[2], /^ {6}1 packets failed authentication$/)
  t.match(lines[3], /^ {2}✓ /)
})
