import t from 'tap'
import {
  CallRegistry,
  causeOf,
  hungUpBy,
  isLegal,
  LADDER_LIMIT,
  VERDICT_LIMIT,
} from '../../src/calls/index.ts'
import { CausewayError, catalogue } from '../../src/shared/errors/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { emptyReport } from '../support/fake-media.ts'

const options = (id: string, wacid?: string) => ({
  id,
  direction: 'user-initiated' as const,
  number: 'support',
  business: '+441632960123',
  consumer: '+33199001234',
  trunk: 'main',
  whatsapp: wacid === undefined ? {} : { wacid },
})

t.test('a call goes through its states and leaves one record', async (t) => {
  const clock = new FakeClock()
  const registry = new CallRegistry(clock)
  const seen: string[] = []
  const records: unknown[] = []
  const stop = registry.subscribe({
    started: (call) => seen.push(`started ${call.id}`),
    changed: (call, from) => seen.push(`${from}>${call.state}`),
    ended: (record) => records.push(record),
  })
  const call = registry.begin(options('c1', 'wacid.1'))
  call.note('whatsapp', 'in', 'INVITE')
  clock.advance(10)
  call.moveTo('calling')
  clock.advance(100)
  call.moveTo('ringing')
  call.moveTo('ringing')
  call.note('pbx', 'in', '180 Ringing', 'late')
  clock.advance(1000)
  call.moveTo('answered')
  t.equal(registry.size, 1)
  t.equal(registry.activeOf('support'), 1)
  clock.advance(42_000)
  t.ok(call.end(hungUpBy('whatsapp')))
  t.notOk(call.end(hungUpBy('pbx')), 'it ends once')
  stop()

  t.same(seen, [
    'started c1',
    'preparing>calling',
    'calling>ringing',
    'ringing>answered',
    'answered>ended',
  ])
  t.equal(records.length, 1)
  const record = registry.recordByWacid('wacid.1')
  t.equal(record, registry.record('c1'))
  t.match(record, {
    state: 'ended',
    talkSeconds: 42,
    cause: { code: 'NORMAL', owner: 'whatsapp', result: 'completed', q850: 16 },
    ladder: [
      { t: 0, leg: 'whatsapp', dir: 'in', what: 'INVITE' },
      { t: 110, leg: 'pbx', dir: 'in', what: '180 Ringing', note: 'late' },
    ],
  })
  t.equal(registry.size, 0)
  t.equal(registry.activeOf('support'), 0)
})

t.test('illegal transitions are refused', async (t) => {
  const call = new CallRegistry(new FakeClock()).begin(options('c1'))
  t.throws(() => call.moveTo('answered'), /preparing cannot become answered/)
  t.notOk(isLegal('ended', 'calling'))
  t.notOk(isLegal('answered', 'ringing'))
  t.ok(isLegal('ringing', 'calling'), 'the overflow trunk')
})

t.test('ended calls are bounded, and their ids with them', async (t) => {
  const registry = new CallRegistry(new FakeClock(), 3)
  for (let i = 0; i < 5; i++) {
    registry.begin(options(`c${i}`, `wacid.${i}`)).end(hungUpBy('pbx'))
  }
  t.same(
    registry.ended().map((record) => record.id),
    ['c4', 'c3', 'c2'],
  )
  t.equal(registry.recordByWacid('wacid.0'), undefined)
  t.equal(registry.recordByWacid('wacid.2')?.id, 'c2')
})

t.test('the ladder is bounded and keeps the end', async (t) => {
  const call = new CallRegistry(new FakeClock()).begin(options('c1'))
  for (let i = 0; i < LADDER_LIMIT + 5; i++) call.note('pbx', 'in', `INFO ${i}`)
  call.note('pbx', 'in', 'BYE')
  t.equal(call.ladder.entries.length, LADDER_LIMIT)
  t.equal(call.ladder.entries.at(-1)?.what, 'BYE')
  t.equal(call.ladder.dropped, 6)
})

t.test('the last figures of the media complete the record, once', async (t) => {
  const registry = new CallRegistry(new FakeClock(), 2)
  const reported: unknown[] = []
  registry.subscribe({ reported: (record) => reported.push(record) })
  const call = registry.begin(options('c1', 'wacid.1'))
  call.complete(emptyReport(1))
  t.equal(call.report, undefined, 'not before the end')
  call.end(hungUpBy('pbx'))
  registry.begin(options('c2')).end(hungUpBy('pbx'))
  call.complete(emptyReport(2))
  call.complete(emptyReport(3))
  t.match(reported, [{ id: 'c1', report: { at: 2 } }])
  t.equal(registry.recordByWacid('wacid.1'), reported[0])
  t.same(
    registry.ended().map(({ id }) => id),
    ['c2', 'c1'],
    'it keeps its age',
  )
  const late = registry.begin(options('c3'))
  late.end(hungUpBy('pbx'))
  registry.begin(options('c4')).end(hungUpBy('pbx'))
  registry.begin(options('c5')).end(hungUpBy('pbx'))
  late.complete(emptyReport(4))
  t.equal(registry.record('c3'), undefined, 'what is forgotten stays forgotten')
  t.equal(reported.length, 2)
})

t.test('verdicts are kept once for each code and side, and not without bound', async (t) => {
  const clock = new FakeClock()
  const call = new CallRegistry(clock).begin(options('c1'))
  const verdict = {
    code: 'MEDIA_DECRYPT',
    side: 'pbx',
    owner: 'pbx',
    detail: '',
    fix: '',
    since: 0,
  } as const
  t.ok(call.judge(verdict, false))
  t.notOk(call.judge(verdict, true))
  t.equal(call.verdicts[0]?.clearedAt, clock.now())
  t.notOk(call.judge(verdict, false))
  t.equal(call.verdicts[0]?.clearedAt, undefined, 'it came back')
  t.notOk(call.judge({ ...verdict, side: 'whatsapp' }, true), 'never stood')
  for (const code of Object.keys(catalogue) as (keyof typeof catalogue)[]) {
    call.judge({ ...verdict, code }, false)
  }
  t.equal(call.verdicts.length, VERDICT_LIMIT)
})

t.test('a coded error becomes a cause', async (t) => {
  t.match(causeOf(new CausewayError('CALL_NO_ANSWER')), {
    result: 'unanswered',
    sip: 480,
    q850: 19,
  })
  t.match(causeOf(new CausewayError('CALL_PBX_FAILED', { detail: '502 Bad Gateway', sip: 502 })), {
    result: 'failed',
    owner: 'pbx',
    sip: 502,
    text: '502 Bad Gateway',
  })
  t.match(causeOf(new CausewayError('CALL_PBX_REFUSED')), { result: 'refused' })
})

t.test("WhatsApp's account of a call is kept beside ours, whenever it comes", async (t) => {
  const clock = new FakeClock()
  const registry = new CallRegistry(clock)
  const told: unknown[] = []
  registry.subscribe({ told: (record) => told.push([record.state, record.whatsappReport?.status]) })
  t.equal(registry.tell('wacid.1', { status: 'COMPLETED' }), undefined, 'not known yet')
  const call = registry.begin(options('a', 'wacid.1'))
  t.equal(registry.record('a')?.whatsappReport, undefined)
  registry.tell('wacid.1', { createdAt: 5 })
  t.match(call.whatsappReport, { createdAt: 5, status: undefined, errors: [] })
  call.moveTo('calling')
  call.moveTo('answered')
  call.end(hungUpBy('pbx'))
  registry.tell('wacid.1', { status: 'FAILED', errors: [{ code: 1, title: 'x', details: 'y' }] })
  // The figures of the media come last, and a second webhook changes nothing that is known.
  call.complete(emptyReport())
  registry.tell('wacid.1', { status: 'COMPLETED', duration: 3 })
  t.match(registry.record('a'), {
    report: { verdict: emptyReport().verdict },
    whatsappReport: { createdAt: 5, status: 'FAILED', duration: 3, errors: [{ code: 1 }] },
  })
  t.same(told, [
    ['preparing', undefined],
    ['ended', 'FAILED'],
    ['ended', 'FAILED'],
  ])
})

t.test('a call that learns its id late is found by it, and forgotten with it', async (t) => {
  const registry = new CallRegistry(new FakeClock(), 1)
  const call = registry.begin(options('a'))
  registry.learnWacid('a', 'wacid.late')
  registry.learnWacid('a', 'wacid.other')
  registry.learnWacid('nobody', 'wacid.nobody')
  t.equal(registry.recordByWacid('wacid.late')?.id, 'a')
  t.equal(registry.recordByWacid('wacid.other'), undefined)
  t.equal(call.whatsapp.wacid, 'wacid.late')
  // Told by WhatsApp's headers, as in a BYE.
  const second = registry.begin(options('b'))
  second.whatsapp.wacid = 'wacid.header'
  second.end(hungUpBy('whatsapp'))
  t.equal(registry.recordByWacid('wacid.header')?.id, 'b')
  call.end(hungUpBy('pbx'))
  t.equal(registry.recordByWacid('wacid.header'), undefined, 'one ended call is kept')
  t.equal(registry.tell('wacid.header', { status: 'COMPLETED' }), undefined)
  t.equal(registry.recordByWacid('wacid.late')?.id, 'a')
})
