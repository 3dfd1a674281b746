import t from 'tap'
import { Capture, type Joined, viewOf } from '../../src/capture/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { wire } from './support.ts'

const TRACE = { messages: 'calls', keep: 10, calls: 2, memory: 100_000 } as const
const call = (id: string) => ({ id, startedAt: 1_000 })

function capture(change: Partial<Parameters<Capture['configure']>[0]> = {}) {
  const clock = new FakeClock()
  const trace = { ...TRACE, ...change }
  return { clock, capture: new Capture({ trace, numbers: 'full', clock }) }
}

const texts = (capture: Capture, id: string): string[] | undefined =>
  capture.transcript(id)?.messages.map(({ text }) => text.split(' ')[0]!)

t.test('both legs, and what came before the call', async (t) => {
  const { capture: it } = capture()
  it.take([wire({ at: 900 }), wire({ at: 950, start: 'ACK sip:a SIP/2.0' })], 0)
  t.equal(it.transcript('1'), undefined, 'of no call yet')
  it.joined(call('1'), 'pbx', 'one@pbx')
  it.joined(call('1'), 'whatsapp', 'two@us')
  it.take([wire({ at: 1_003, callId: 'two@us', dir: 'out' }), wire({ at: 1_001 })], 0)
  const view = viewOf(it.transcript('1')!)
  t.same(
    view.messages.map(({ t, leg, dir, what, repeats }) => [t, leg, dir, what, repeats]),
    [
      [-100, 'pbx', 'in', 'INVITE', undefined],
      [-50, 'pbx', 'in', 'ACK', undefined],
      [1, 'pbx', 'in', 'INVITE', 0],
      [3, 'whatsapp', 'out', 'INVITE', undefined],
    ],
    'in the order of time; the same datagram again is a retransmission',
  )
  t.match(view.messages[0], { local: '10.0.0.5:5060', remote: '10.0.0.9:5062', transport: 'udp' })
})

t.test('a stream repeats nothing', async (t) => {
  const { capture: it } = capture()
  it.joined(call('1'), 'pbx', 'one@pbx')
  it.take([wire({ transport: 'tcp' }), wire({ transport: 'tcp' })], 0)
  t.same(
    viewOf(it.transcript('1')!).messages.map(({ repeats }) => repeats),
    [undefined, undefined],
  )
})

t.test('messages of no call wait for ten seconds, pings not at all', async (t) => {
  const { capture: it, clock } = capture()
  it.take([wire(), wire({ callId: 'ping@x', start: 'OPTIONS sip:a SIP/2.0' })], 0)
  it.joined(call('2'), 'pbx', 'ping@x')
  t.equal(it.transcript('2'), undefined)
  clock.advance(10_001)
  it.take([], 0)
  it.joined(call('1'), 'pbx', 'one@pbx')
  t.equal(it.transcript('1'), undefined)
})

t.test('a flood of messages of no call holds a bounded number', async (t) => {
  const { capture: it } = capture()
  const flood = Array.from({ length: 3000 }, (_, index) => wire({ callId: `x${index}` }))
  it.take(flood, 0)
  it.joined(call('1'), 'pbx', 'x0')
  it.joined(call('2'), 'pbx', 'x2999')
  t.equal(it.transcript('1'), undefined, 'the oldest went')
  t.ok(it.transcript('2'))
})

t.test('too many of one call: how it began and how it ended stay', async (t) => {
  const { capture: it } = capture({ keep: 4 })
  it.joined(call('1'), 'pbx', 'one@pbx')
  const methods = ['A', 'B', 'C', 'D', 'E', 'F', 'G']
  it.take(
    methods.map((method, at) => wire({ at, start: `${method} sip:a SIP/2.0` })),
    0,
  )
  t.same(texts(it, '1'), ['A', 'B', 'F', 'G'])
  t.equal(it.transcript('1')?.dropped, 3)
  t.equal(it.counters.lost.call, 3)
  t.equal(
    it.bytes,
    it.transcript('1')!.messages.reduce((sum, { text }) => sum + text.length, 0),
  )
})

t.test('ended calls stay until there are too many', async (t) => {
  const { capture: it } = capture()
  for (const id of ['1', '2', '3']) {
    it.joined(call(id), 'pbx', `${id}@pbx`)
    it.take([wire({ callId: `${id}@pbx` })], 0)
    it.ended({ id })
    it.take([wire({ callId: `${id}@pbx`, start: 'SIP/2.0 200 OK' })], 0)
  }
  t.equal(it.transcript('1'), undefined)
  t.equal(it.callOf('1@pbx'), undefined)
  t.same(texts(it, '3'), ['INVITE', 'SIP/2.0'], 'what comes after the end belongs to it')
  it.ended({ id: 'nobody' })
})

t.test('memory: ended calls go, then new messages', async (t) => {
  const size = wire().text.length
  const { capture: it } = capture({ calls: 100, memory: size * 3 })
  for (const id of ['1', '2']) it.joined(call(id), 'pbx', `${id}@pbx`)
  it.take([wire({ callId: '1@pbx' }), wire({ callId: '1@pbx', at: 2 })], 0)
  it.ended({ id: '1' })
  it.take([wire({ callId: '2@pbx' }), wire({ callId: '2@pbx', at: 2 })], 0)
  t.equal(it.transcript('1'), undefined, 'the ended call went')
  it.take([wire({ callId: '2@pbx', at: 3 }), wire({ callId: '2@pbx', at: 4 })], 0)
  t.equal(it.transcript('2')?.messages.length, 3)
  t.equal(it.transcript('2')?.dropped, 1)
  t.match(it.counters, { seen: 6, lost: { memory: 1 } })
  t.ok(it.bytes <= size * 3)
  it.configure({ ...TRACE, memory: size }, 'full')
  t.equal(it.transcript('2')?.messages.length, 3, 'a call in progress keeps what it has')
})

t.test('switched off: all goes, and Call-IDs are still known', async (t) => {
  const { capture: it } = capture()
  it.joined(call('1'), 'pbx', 'one@pbx')
  it.take([wire()], 0)
  it.configure({ ...TRACE, messages: 'off' }, 'full')
  t.equal(it.transcript('1'), undefined)
  t.equal(it.bytes, 0)
  const told: (Joined | undefined)[] = []
  const end = it.listen((_message, whose) => told.push(whose))
  it.take([wire(), wire({ callId: 'x' })], 7)
  end()
  it.take([wire()], 0)
  t.match(told, [{ id: '1', leg: 'pbx' }, undefined])
  t.equal(told.length, 2)
  t.equal(it.transcript('1'), undefined)
  t.equal(it.counters.lost.behind, 7)
})

t.test('what is kept is redacted, with numbers as configured now', async (t) => {
  const { capture: it } = capture()
  it.joined(call('1'), 'pbx', 'one@pbx')
  const text = `INVITE sip:+441632960123@x SIP/2.0\r\ni: one@pbx\r\nAuthorization: Basic c2VjcmV0\r\n\r\n`
  it.take([wire({ text })], 0)
  it.configure(TRACE, 'masked')
  it.take([wire({ text })], 0)
  const [first, second] = it.transcript('1')!.messages
  t.notMatch(first!.text, 'c2VjcmV0')
  t.match(first!.text, '+441632960123')
  t.match(second!.text, '+**********23')
})

t.test('messages that cannot be read belong to nobody and harm nobody', async (t) => {
  const { capture: it } = capture()
  it.take([wire({ text: '' }), wire({ text: '\0\0' }), wire({ text: 'Call-ID:\r\n' })], 0)
  t.equal(it.counters.seen, 3)
  it.joined(call('1'), 'pbx', 'one@pbx')
  it.take([wire({ text: 'what is this?\r\nCall-ID: one@pbx\r\n\r\n' })], 0)
  t.match(viewOf(it.transcript('1')!).messages, [{ what: 'unreadable' }])
})
