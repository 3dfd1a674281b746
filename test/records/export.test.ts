import t from 'tap'
import type { CallRecord } from '../../src/calls/index.ts'
import type { LegReport } from '../../src/media/index.ts'
import { CSV_COLUMNS, csvHeader, csvLines } from '../../src/records/csv.ts'
import { exportText } from '../../src/records/export.ts'
import { formatCursor, parseCursor, parseMoment } from '../../src/records/filter.ts'
import { recordSchema } from '../../src/records/schema.ts'
import { CallStore } from '../../src/records/store.ts'
import { storedCall } from '../../src/records/stored.ts'
import { emptyReport } from '../support/fake-media.ts'
import { record, records } from './support.ts'

const stream = {
  packets: 100,
  octets: 4000,
  lost: 1,
  lossRate: 0.0099,
  burstRate: 0,
  jitterMs: 1.234,
  reordered: 0,
  duplicates: 0,
  firstPacketAfterMs: 3,
  longestGapMs: 40,
  mos: 4.379,
}

const leg: LegReport = {
  codec: 'opus',
  payloadType: 111,
  ptimeReceived: 20,
  srtp: { mode: 'sdes', suite: 'AES_CM_128_HMAC_SHA1_80' },
  local: '127.0.0.1:20000',
  remote: '127.0.0.1:30000',
  ice: { local: 'a', remote: 'b', state: 'c' },
  dtls: { role: 'client', cipher: undefined, state: 'connected' },
  received: stream,
  sent: { ...stream, mos: undefined, firstPacketAfterMs: undefined },
  rttMs: 2,
  discarded: { auth: 0, replayed: 0, wrongSource: 0, wrongPayloadType: 0, malformed: 0 },
  silenceInserted: 0,
  held: false,
}

/** A record in which everything is there. */
function whole(): CallRecord {
  const base = record('5f0c2d9be41a7763', {
    direction: 'business-initiated',
    talk: 12_500,
    callIds: { whatsapp: 'wa-1', pbx: 'pbx-1' },
    whatsapp: {
      wacid: 'wacid.A',
      displayName: '=HYPERLINK("http://x","y")',
      userId: 'FR.1349',
      username: '@zoe',
      ctaPayload: 'order "42", twice',
      deeplinkPayload: '-1+1',
      callDuration: 13,
    },
  })
  const verdict = {
    code: 'MEDIA_SILENT_PBX',
    side: 'pbx',
    owner: 'pbx',
    detail: 'd',
    fix: 'f',
    since: 1,
    clearedAt: 2,
  } as const
  return {
    ...base,
    target: 'sip:10.0.0.9:5060',
    route: 'vip',
    permission: { status: 'temporary', expiresAt: 5 },
    whatsappReport: {
      createdAt: 1,
      ringingAt: undefined,
      acceptedAt: undefined,
      rejectedAt: undefined,
      status: 'FAILED',
      startedAt: 2,
      endedAt: 3,
      duration: undefined,
      errors: [{ code: 138021, title: 'Media timeout', details: undefined }],
      voicemail: undefined,
    },
    media: {
      codec: { whatsapp: 'opus', pbx: 'PCMA' },
      srtp: { whatsapp: 'DTLS-SRTP', pbx: 'none' },
    },
    verdicts: [verdict],
    report: {
      ...emptyReport(9),
      legs: { whatsapp: leg, pbx: undefined },
      verdict: 'good',
      verdicts: [verdict],
      dtmf: [{ side: 'whatsapp', digit: '5', at: 7 }],
    },
  }
}

t.test('a record is what its schema says, and the schema leaves nothing out', async (t) => {
  for (const call of [whole(), record('busy'), ...records(2)]) {
    const plain: unknown = JSON.parse(JSON.stringify(call))
    const parsed = recordSchema.safeParse(plain)
    t.same(parsed.error?.issues ?? [], [])
    t.same(parsed.data, plain, 'every field is described')
  }
})

t.test('CSV, to the byte', async (t) => {
  t.equal(csvHeader(), `${Object.keys(CSV_COLUMNS).join(',')}\r\n`)
  t.equal(
    csvLines([whole()]),
    [
      '5f0c2d9be41a7763,wacid.A,business-initiated,support,+441632960123,+33199001234,FR,main,sip:10.0.0.9:5060,vip',
      '2026-11-29T08:00:00.000Z,2026-11-29T08:00:01.000Z,2026-11-29T08:00:02.000Z,2026-11-29T08:00:14.500Z',
      '12500,13,3,bye,completed,NORMAL,caller,pbx,200,16,the PBX hung up,temporary',
      `"'=HYPERLINK(""http://x"",""y"")",'@zoe,FR.1349,"order ""42"", twice",'-1+1`,
      'opus,DTLS-SRTP,4.38,0.0099,1.2,100,100,PCMA,none,,,,,,good,MEDIA_SILENT_PBX@pbx,FAILED,138021,wa-1,pbx-1,1\r\n',
    ].join(','),
  )
  const [line] = csvLines([record('busy')]).split('\r\n')
  t.equal(line!.split(',').length, Object.keys(CSV_COLUMNS).length)
  t.match(line, ',busy,CALL_BUSY,callee,pbx,486,17,')
  t.equal(csvLines([]), '')
})

t.test('what a spreadsheet would take for a formula is text', async (t) => {
  for (const [given, shown] of [
    ['=1+1', "'=1+1"],
    ['+1+1', "'+1+1"],
    ['+33199001234', '+33199001234'],
    ['+33 199', "'+33 199"],
    ['-5', "'-5"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['  =1', "'  =1"],
    ['\t=1', "'\t=1"],
    ['a=1', 'a=1'],
    ['Zoé 中', 'Zoé 中'],
    ['', ''],
  ] as const) {
    const line = csvLines([record('x', { whatsapp: { displayName: given } })])
    const column = Object.keys(CSV_COLUMNS).indexOf('display_name')
    t.equal(line.split(',')[column], shown, JSON.stringify(given))
  }
  const lines = csvLines([record('x', { whatsapp: { displayName: 'a\r\nb' } })])
  t.match(lines, ',"a\r\nb",')
})

t.test('JSON Lines: one whole record a line', async (t) => {
  const store = new CallStore(t.testdir({}))
  const calls = [whole(), record('busy')]
  store.write(calls.map(storedCall), null)
  const ask = { filter: {}, format: 'jsonl', before: undefined } as const
  const all = await exportText(store, { ...ask, limit: 9 })
  const parsed = all.text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)
  t.same(parsed, JSON.parse(JSON.stringify([...calls].reverse())))
  t.equal(all.next, undefined)
  const first = await exportText(store, { ...ask, limit: 1 })
  const rest = await exportText(store, { ...ask, limit: 9, before: parseCursor(first.next!) })
  t.equal(first.text + rest.text, all.text)
  store.close()
})

t.test('moments and cursors as people write them', async (t) => {
  const now = Date.UTC(2026, 10, 29, 8)
  // A zone of its own, so that what is read in local time shows on every machine.
  const zone = process.env['TZ']
  process.env['TZ'] = 'America/New_York'
  t.teardown(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })
  for (const [text, at] of [
    ['2h', now - 7_200_000],
    ['7d', now - 7 * 86_400_000],
    ['90s', now - 90_000],
    ['2026-11-01', Date.UTC(2026, 10, 1)],
    ['2026-11-01T08:30', Date.UTC(2026, 10, 1, 8, 30)],
    ['2026-11-01 08:30:15', Date.UTC(2026, 10, 1, 8, 30, 15)],
    ['2026-11-01T08:30:15.5Z', Date.UTC(2026, 10, 1, 8, 30, 15, 500)],
    ['2026-11-01T08:30+01:00', Date.UTC(2026, 10, 1, 7, 30)],
    ['1795939200000', 1_795_939_200_000],
    ['', undefined],
    ['2', undefined],
    ['yesterday', undefined],
    ['2026-13-01', undefined],
    ['2026-11-1', undefined],
    ['-2h', undefined],
    ['2h ago', undefined],
  ] as const) {
    t.equal(parseMoment(text, now), at, text)
  }
  t.same(parseCursor(formatCursor({ startedAt: now, seq: 42 })), { startedAt: now, seq: 42 })
  for (const bad of ['', 'x', '1', '1-', '-1', '1-2-3', `${'9'.repeat(20)}-1`]) {
    t.equal(parseCursor(bad), undefined, bad)
  }
})
