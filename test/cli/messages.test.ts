import t from 'tap'
import type { CallMessage } from '../../src/capture/index.ts'
import { drawLadder } from '../../src/cli/ladder.ts'
import { bodyLines, ladderOf } from '../../src/cli/messages.ts'

const message = (change: Partial<CallMessage> = {}): CallMessage => ({
  at: 1000,
  t: -12.34,
  leg: 'pbx',
  dir: 'out',
  transport: 'udp',
  local: '10.0.0.5:5060',
  remote: '10.0.0.9:5060',
  what: 'INVITE',
  note: 'opus, SDES, sendrecv',
  text: 'INVITE sip:a@b SIP/2.0\r\nCall-ID: x\r\n\r\nv=0\r\n',
  ...change,
})

t.test('a message in full, with times, addresses and what to look at', async (t) => {
  const messages = [
    message(),
    message({ t: 487.7, repeats: 0 }),
    message({
      t: 500,
      leg: 'whatsapp',
      dir: 'in',
      transport: 'tls',
      what: '200 OK',
      text: 'SIP/2.0 200 OK\r\n\r\n',
    }),
  ]
  t.same(bodyLines({ id: '1', messages, dropped: 0 }), [
    '',
    '1  to the PBX  -12.3 ms  udp 10.0.0.5:5060 → 10.0.0.9:5060  (opus, SDES, sendrecv)',
    '    INVITE sip:a@b SIP/2.0',
    '    Call-ID: x',
    '',
    '    v=0',
    '',
    '2  to the PBX  487.7 ms, +500 ms  udp 10.0.0.5:5060 → 10.0.0.9:5060  (opus, SDES, sendrecv)',
    '    the same as no. 1',
    '',
    '3  from WhatsApp  500 ms, +12.3 ms  tls 10.0.0.9:5060 → 10.0.0.5:5060  (opus, SDES, sendrecv)',
    '    SIP/2.0 200 OK',
  ])
})

t.test('the ladder of messages: repetitions, pauses, gaps and failures', async (t) => {
  const messages = [
    message({ t: 0 }),
    message({ t: 500, repeats: 0 }),
    message({ t: 61_000, dir: 'in', what: '486 Busy Here', note: 'BYE' }),
    message({ t: 61_001, what: 'ACK' }),
  ]
  const painted: string[] = []
  const lines = drawLadder(
    ladderOf({ id: '1', messages, dropped: 7 }),
    7,
    (style, text) => {
      if (style !== 'dim' && style !== 'bold') painted.push(`${style} ${text}`)
      return text
    },
    true,
  )
  const text = lines.join('\n')
  t.match(text, / 1 INVITE ─+▶│\n.*10\.0\.0\.9:5060 opus, SDES, .*\n.*sendrecv/)
  t.match(text, / 2 INVITE \(again, no\. 1\) ─+▶│/)
  t.match(text, /│ 1 min 1 s later +│/)
  t.match(text, /│ 7 more messages, not kept +│/)
  t.ok(
    lines.findIndex((line) => line.includes('not kept')) <
      lines.findIndex((line) => line.includes('486')),
    'in the middle',
  )
  t.same(painted, ['red 3 486 Busy Here (BYE)'])
  for (const line of lines) t.ok([...line].length <= 80, line)
})

t.test('each target that is tried is named once', async (t) => {
  const { note: _, ...bare } = message()
  const notes = ladderOf({
    id: '1',
    dropped: 0,
    messages: [
      bare,
      message({ what: 'INVITE (with credentials)' }),
      message({ repeats: 0 }),
      { ...bare, remote: '10.0.0.10:5060' },
      message({ leg: 'whatsapp', remote: '198.51.100.1:5061' }),
      message({ dir: 'in', remote: '10.0.0.10:6000' }),
    ],
  }).map(({ note }) => note)
  t.same(notes, [
    '10.0.0.9:5060',
    'opus, SDES, sendrecv',
    'again, no. 1',
    '10.0.0.10:5060',
    'opus, SDES, sendrecv',
    'opus, SDES, sendrecv',
  ])
})

t.test('nothing a peer sends steers the terminal', async (t) => {
  const text = 'INVITE \u001b[2J SIP/2.0\r\nSubject: \u202e\u0007\r\n\r\n\u001b]0;x\u0007'
  const lines = bodyLines({
    id: '1',
    dropped: 0,
    messages: [message({ text, note: '\u001b[31m' })],
  })
  t.notMatch(lines.join('\n'), /[\u001b\u0007\u202e]/)
})
