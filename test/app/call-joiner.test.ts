import t from 'tap'
import { CallJoiner } from '../../src/app/call-joiner.ts'
import { type CallOptions, CallRegistry, hungUpBy } from '../../src/calls/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { type CallWebhook, parseEnvelope } from '../../src/webhooks/index.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fixture } from '../webhooks/support.ts'

/** The events of a fixture that are about calls. */
function eventsOf(name: string): CallWebhook[] {
  return parseEnvelope(JSON.parse(fixture(name)))!.flatMap(({ event }) =>
    event?.kind === 'call' ? [event] : [],
  )
}

const [created] = eventsOf('call-created')
const [completed] = eventsOf('terminate-completed')
const [failed] = eventsOf('terminate-failed')
const [business] = eventsOf('terminate-business')
const [voicemail] = eventsOf('voicemail')
const WACID = created!.wacid

function lab() {
  const clock = new FakeClock()
  const calls = new CallRegistry(clock)
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const joiner = new CallJoiner({
    calls,
    clock,
    log,
    numberOf: (id) => (id === '106540352242922' ? 'support' : undefined),
  })
  const begin = (id: string, change: Partial<CallOptions> = {}) =>
    calls.begin({
      id,
      direction: 'user-initiated',
      number: 'support',
      business: '+441632960123',
      consumer: '+33199001234',
      trunk: 'main',
      whatsapp: { wacid: WACID },
      ...change,
    })
  const outgoing = (id: string, change: Partial<CallOptions> = {}) =>
    begin(id, { direction: 'business-initiated', whatsapp: {}, ...change })
  return { clock, calls, joiner, begin, outgoing, lines }
}

t.test('before the call, during it, at its end and after it: all come to the call', async (t) => {
  for (const order of ['before', 'during', 'after'] as const) {
    const { joiner, begin, calls, clock } = lab()
    const tell = (): void => {
      joiner.onCall(completed!)
      joiner.onCall(created!)
      joiner.onCall(voicemail!)
    }
    if (order === 'before') tell()
    const call = begin('a')
    if (order === 'during') tell()
    call.end(hungUpBy('whatsapp'))
    if (order === 'after') tell()
    t.match(
      calls.record('a')?.whatsappReport,
      {
        createdAt: 1_700_000_000_000,
        status: 'COMPLETED',
        startedAt: 1_700_000_008_000,
        endedAt: 1_700_000_050_000,
        duration: 42,
        errors: [],
        voicemail: '1908647269898587',
      },
      order,
    )
    t.equal(clock.pending, 0, 'nothing is waited for')
    t.match(joiner.counts(), { waiting: 0, unknown: 0 })
  }
})

t.test('a failure is logged with what WhatsApp says', async (t) => {
  const { joiner, begin, lines } = lab()
  begin('a')
  joiner.onCall(failed!)
  t.match(lines, [{ call: 'a', detail: '138021 Media receive timeout', level: 40 }])
})

t.test('a call of somebody else is waited for, then given up, and said so', async (t) => {
  const { joiner, clock, lines, calls } = lab()
  joiner.onCall(created!)
  clock.advance(599_999)
  t.same(joiner.counts(), { joined: 0, waiting: 1, unknown: 0 })
  clock.advance(1)
  t.same(joiner.counts(), { joined: 0, waiting: 0, unknown: 1 })
  t.match(lines, [{ wacid: WACID, msg: /did not come through Causeway/ }])
  t.equal(calls.size, 0)
})

t.test('what is waited for is bounded', async (t) => {
  const { joiner, clock } = lab()
  for (let i = 0; i < 1500; i++) joiner.onCall({ ...created!, wacid: `wacid.${i}` })
  t.same(joiner.counts(), { joined: 0, waiting: 1000, unknown: 500 })
  t.equal(clock.pending, 1000)
  joiner.stop()
  t.equal(clock.pending, 0)
})

t.test('a call of the business learns its id from the webhook', async (t) => {
  const { joiner, outgoing, calls } = lab()
  outgoing('other consumer', { consumer: '+33199009999' })
  outgoing('other number', { number: 'sales' })
  outgoing('has an id', { whatsapp: { wacid: 'wacid.known' } })
  begun(calls, 'a user calls')
  const call = outgoing('a')
  joiner.onCall({ ...business!, event: 'created', at: 1_700_000_000_000 })
  t.equal(call.whatsapp.wacid, 'wacid.business')
  call.end(hungUpBy('pbx'))
  joiner.onCall(business!)
  t.match(calls.record('a'), {
    whatsapp: { wacid: 'wacid.business' },
    whatsappReport: { createdAt: 1_700_000_000_000, status: 'COMPLETED', duration: 42 },
  })
  t.equal(calls.recordByWacid('wacid.business')?.id, 'a')
  for (const id of ['other consumer', 'other number', 'has an id', 'a user calls']) {
    t.equal(calls.record(id)?.whatsappReport, undefined, id)
  }
})

function begun(calls: CallRegistry, id: string) {
  return calls.begin({
    id,
    direction: 'user-initiated',
    number: 'support',
    business: '+441632960123',
    consumer: '+33199001234',
    trunk: 'main',
  })
}

t.test('a consumer without a number is found by the business-scoped id', async (t) => {
  const { joiner, outgoing, calls } = lab()
  outgoing('a', { consumer: 'FR.1' })
  joiner.onCall({ ...business!, at: 1_700_000_000_000 })
  t.equal(calls.record('a')?.whatsapp.wacid, 'wacid.business')
})

t.test('the end that comes after ours is joined by its time', async (t) => {
  const { joiner, outgoing, calls, clock } = lab()
  const first = outgoing('first')
  clock.advance(20_000)
  first.end(hungUpBy('pbx'))
  clock.advance(30_000)
  const second = outgoing('second')
  const at = 1_700_000_020_000
  joiner.onCall({ ...business!, at })
  t.equal(calls.record('first')?.whatsapp.wacid, 'wacid.business')
  t.equal(second.whatsapp.wacid, undefined, 'the call that began later is another one')
  joiner.onCall({ ...business!, wacid: 'wacid.second', at: 1_700_000_050_000 })
  t.equal(second.whatsapp.wacid, 'wacid.second')
  joiner.onCall({ ...business!, wacid: 'wacid.third', at })
  t.match(joiner.counts(), { waiting: 1 }, 'there is no third call')
})

t.test('an id that WhatsApp tells by SIP later fetches what waits for it', async (t) => {
  const { joiner, outgoing, calls } = lab()
  const call = outgoing('a', { consumer: '+33199009999' })
  joiner.onCall(business!)
  call.whatsapp.wacid = 'wacid.business'
  call.moveTo('calling')
  t.match(calls.record('a')?.whatsappReport, { status: 'COMPLETED' })
  t.same(joiner.counts(), { joined: 1, waiting: 0, unknown: 0 })
})
