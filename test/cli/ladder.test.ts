import t from 'tap'
import {
  type CallRecord,
  EMPTY_REPORT,
  type LadderEntry,
  type WhatsAppReport,
} from '../../src/calls/index.ts'
import { drawLadder, duration, formatCall } from '../../src/cli/ladder.ts'
import { hang, wrap } from '../../src/cli/text.ts'
import { definitionOf } from '../../src/shared/errors/index.ts'

const wide = (lines: string[]): number[] => [...new Set(lines.map((line) => line.length))]

t.test('a call is drawn with its arrows and times', async (t) => {
  const entries: LadderEntry[] = [
    { t: 0, leg: 'whatsapp', dir: 'in', what: 'INVITE' },
    { t: 1, leg: 'pbx', dir: 'out', what: 'INVITE', note: 'sip:10.0.0.9:5060' },
    { t: 3, leg: 'pbx', dir: 'in', what: '180 Ringing' },
    { t: 4, leg: 'whatsapp', dir: 'out', what: '180 Ringing' },
    { t: 12345, leg: 'whatsapp', dir: 'in', what: 'BYE' },
  ]
  t.same(drawLadder(entries), [
    '     ms  WhatsApp                       Causeway                             PBX',
    '      0  │ INVITE ─────────────────────────▶│                                  │',
    '      1  │                                  │ INVITE (sip:10.0.0.9:5060) ─────▶│',
    '      3  │                                  │◀──────────────────── 180 Ringing │',
    '      4  │◀──────────────────── 180 Ringing │                                  │',
    '  12345  │ BYE ────────────────────────────▶│                                  │',
  ])
})

t.test('every line is 80 columns wide, whatever is drawn', async (t) => {
  const long = 'x'.repeat(200)
  const entries: LadderEntry[] = (['whatsapp', 'pbx'] as const).flatMap((leg) =>
    (['in', 'out'] as const).flatMap((dir) => [
      { t: 0, leg, dir, what: 'ACK' },
      { t: 9_999_999, leg, dir, what: '403', note: 'Business Initiated Connected Call Limit Hit' },
      { t: 1, leg, dir, what: long, note: long },
      { t: 1, leg, dir, what: '200 OK', note: '23456789 123456789 1234' },
      { t: 1, leg, dir, what: 'BYE\u001b[2J', note: 'a\r\nb \u202e c' },
    ]),
  )
  t.same(wide(drawLadder(entries, 7)), [80])
  t.same(wide(drawLadder([])), [80])
  t.notMatch(drawLadder(entries).join(''), /[\u001b\r\n\u202e]/, 'nothing steers the terminal')
})

t.test('a long note goes below its arrow, two lines of it at most', async (t) => {
  const note = 'Q.850;cause=16;text="Normal call clearing, and words, and more words, to the end"'
  const [, arrow, first, second, ...rest] = drawLadder([
    { t: 5, leg: 'pbx', dir: 'in', what: 'BYE', note },
  ])
  t.match(arrow, /│◀─+ BYE │$/)
  t.match(first, /^ {9}│ {34}│ {3}Q\.850;cause=16;text="Normal +│$/)
  t.match(second, /call clearing, and words, and… +│$/)
  t.same(rest, [])
})

t.test('messages that were not kept are told before the last one', async (t) => {
  const entry = (what: string): LadderEntry => ({ t: 1, leg: 'pbx', dir: 'in', what })
  const lines = drawLadder([entry('INVITE'), entry('BYE')], 2)
  t.match(lines[2], /│ 2 more messages, not kept/)
  t.match(lines[3], / BYE │/)
  t.match(drawLadder([entry('BYE')], 1)[1], /1 more message, not kept/)
  t.notMatch(drawLadder([entry('BYE')]).join(), /not kept/)
})

t.test('answers and failures are coloured, challenges are not', async (t) => {
  const styles = (what: string): string[] => {
    const seen: string[] = []
    drawLadder([{ t: 0, leg: 'pbx', dir: 'in', what }], 0, (style, text) => {
      if (text === what) seen.push(style)
      return text
    })
    return seen
  }
  t.same(styles('200 OK'), ['green'])
  t.same(styles('486 Busy Here'), ['red'])
  t.same(styles('407 Proxy Authentication Required'), [])
  t.same(styles('180 Ringing'), [])
  t.same(styles('INVITE'), [])
})

const record: CallRecord = {
  version: 1,
  id: '5f0c2d9be41a7763',
  direction: 'user-initiated',
  state: 'ended',
  number: 'support',
  business: '+441632960123',
  consumer: '+33199001234',
  trunk: 'main',
  target: undefined,
  route: 'inbound',
  callIds: {},
  country: undefined,
  permission: undefined,
  whatsapp: { wacid: `wacid.${'HBgLMzMx'.repeat(12)}`, displayName: 'Zoé' },
  whatsappReport: undefined,
  media: {
    codec: { whatsapp: 'opus', pbx: 'PCMA' },
    srtp: { whatsapp: 'AES_CM_128_HMAC_SHA1_80', pbx: 'none' },
  },
  verdicts: [],
  report: undefined,
  startedAt: Date.UTC(2026, 10, 20, 9, 30),
  ringingAt: Date.UTC(2026, 10, 20, 9, 30) + 12,
  answeredAt: Date.UTC(2026, 10, 20, 9, 30) + 1200,
  endedAt: Date.UTC(2026, 10, 20, 9, 30) + 4200,
  talkSeconds: 3,
  talkMs: 3000,
  billing: { pulses: 0, seconds: 3, basis: 'causeway' },
  endedBy: 'caller',
  cause: {
    code: 'NORMAL',
    result: 'completed',
    owner: 'whatsapp',
    sip: 200,
    q850: 16,
    text: 'the WhatsApp user hung up',
  },
  ladder: [{ t: 0, leg: 'whatsapp', dir: 'in', what: 'INVITE' }],
  ladderDropped: 0,
}

t.test('the header tells parties, times, media and the end', async (t) => {
  const text = formatCall(record)
  t.match(text, /^Call 5f0c2d9be41a7763 {2}user-initiated, ended\n/)
  t.match(text, /parties \+33199001234 \(Zoé\) → \+441632960123\n/)
  t.match(text, /through number support, route inbound, trunk main\n/)
  t.match(
    text,
    /2026-11-20T09:30:00\.000Z, rang after 12 ms, answered after 1\.2 s,\n {10}talked 3 s\n/,
  )
  t.match(
    text,
    /media {3}opus, SRTP AES_CM_128_HMAC_SHA1_80 to WhatsApp; PCMA, plain RTP to the\n {10}PBX\n/,
  )
  t.match(text, /ended {3}completed: the WhatsApp user hung up\n/)
  t.equal(text.replace(/\s/g, '').includes(record.whatsapp.wacid!), true, 'the whole wacid')
  for (const line of text.split('\n')) t.ok(line.length <= 80, line)
})

t.test('the other direction, a running call and a failure', async (t) => {
  const outgoing: CallRecord = { ...record, direction: 'business-initiated', whatsapp: {} }
  t.match(formatCall(outgoing), /parties \+441632960123 → \+33199001234\n/)
  t.match(
    formatCall({ ...outgoing, route: 'prefix 91' }),
    /support, named by prefix 91, trunk main/,
  )
  t.notMatch(formatCall(outgoing), /wacid/)
  const both: CallRecord = {
    ...record,
    media: { codec: { whatsapp: 'opus', pbx: 'opus' }, srtp: { whatsapp: 'x', pbx: 'x' } },
  }
  t.match(formatCall(both), /opus, SRTP x on both sides\n/)
  const running: CallRecord = { ...record, state: 'answered', endedAt: undefined, cause: undefined }
  t.match(formatCall(running), /talked\s+3 s so far/)
  t.notMatch(formatCall(running), /ended/)
  const failed: CallRecord = {
    ...record,
    ringingAt: undefined,
    answeredAt: undefined,
    media: undefined,
    cause: {
      code: 'CALL_TRUNK_UNREACHABLE' as never,
      result: 'failed',
      owner: 'pbx',
      sip: 503,
      q850: 38,
      text: 'no target answered',
    },
  }
  const text = formatCall(failed).replace(/\s+/g, ' ')
  t.match(text, 'failed: no target answered (CALL_TRUNK_UNREACHABLE, SIP 503, Q.850 38)')
  t.match(text, '; the PBX should act')
  t.match(text, 'ended after 4.2 s')
  t.notMatch(text, /media|rang|fix/)
})

t.test(
  'a call that failed comes with what to do about it, one that ended well does not',
  async (t) => {
    const cause = { ...record.cause!, code: 'CALL_PBX_UNREACHABLE', result: 'failed' } as const
    const text = formatCall({ ...record, cause }).replace(/\s+/g, ' ')
    t.match(text, ` fix ${definitionOf('CALL_PBX_UNREACHABLE').fix}`)
    t.notMatch(formatCall(record), /^ {2}fix/m)
    const busy = { ...record.cause!, code: 'CALL_BUSY', result: 'busy' } as const
    t.notMatch(formatCall({ ...record, cause: busy }), /^ {2}fix/m)
  },
)

t.test('a text at the end of a line keeps within 80 columns, and has room', async (t) => {
  t.equal(hang('short', 40), 'short')
  const text = 'down for 15 s: no answer to OPTIONS in 2000 ms; pinged until it answers'
  const lines = `${' '.repeat(28)}${hang(text, 28)}`.split('\n')
  t.equal(lines.length, 2)
  for (const line of lines) t.match(line, /^ {28}\S/)
  for (const line of lines) t.ok(line.length <= 80)
  t.ok(hang(text, 79).split('\n').length <= 3)
})

t.test('durations', async (t) => {
  const cases: [number, string][] = [
    [0, '0 ms'],
    [12.4, '12 ms'],
    [1000, '1 s'],
    [1250, '1.3 s'],
    [59_940, '59.9 s'],
    [59_980, '1 min 0 s'],
    [60_000, '1 min 0 s'],
    [200_000, '3 min 20 s'],
    [239_700, '4 min 0 s'],
  ]
  for (const [ms, text] of cases) t.equal(duration(ms), text)
})

t.test('texts are broken at blanks, words that are too long anywhere', async (t) => {
  t.same(wrap('a bc def', 4), ['a bc', 'def'])
  t.same(wrap('abcdefgh', 3), ['abc', 'def', 'gh'])
  t.same(wrap('a b c d e f', 3, 2), ['a b', 'c …'])
  t.same(wrap('sip:a;b=c;d', 9), ['sip:a;', 'b=c;d'])
  t.same(wrap('abc;de', 4), ['abc;', 'de'])
  t.same(wrap('', 5), [''])
})

t.test('what WhatsApp says of the call stands in the header', async (t) => {
  const report = (change: Partial<WhatsAppReport>): string =>
    formatCall({ ...record, whatsappReport: { ...EMPTY_REPORT, ...change } })
  t.notMatch(formatCall(record), /webhook/)
  t.match(report({ createdAt: 1 }), /^ {2}webhook WhatsApp knows the call$/m)
  t.match(report({ status: 'COMPLETED', duration: 42 }), 'WhatsApp says COMPLETED, 42 s\n')
  t.match(
    report({
      status: 'FAILED',
      errors: [{ code: 138021, title: 'Media receive timeout', details: 'no packets' }],
    }),
    'WhatsApp says FAILED; 138021 Media receive timeout (no packets)\n',
  )
  const missed = report({ status: 'COMPLETED', rejectedAt: 1, voicemail: '77' })
  t.match(missed, 'rejected by the user, a voicemail was left')
})
