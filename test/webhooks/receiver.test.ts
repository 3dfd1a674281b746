import t from 'tap'
import { createLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { signatureOf } from '../../src/webhooks/index.ts'
import { SeenContent } from '../../src/webhooks/seen.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { APP_SECRET, callEvent, fixture, receiverLab } from './support.ts'

const DAY = 86_400_000

t.test('a signed webhook is answered at once and worked off afterwards', async (t) => {
  const { receiver, events, deliveries } = receiverLab()
  const body = Buffer.from(fixture('call-created'))
  t.equal(receiver.receive(body, signatureOf(APP_SECRET, body)), 'accepted')
  t.equal(events.length, 0, 'nothing happens before the answer')
  t.equal(receiver.queued, 1)
  await receiver.idle()
  t.match(events, [{ kind: 'call', event: 'created' }])
  t.strictSame(deliveries(), { accepted: 1 })
})

t.test('what is refused is told with its remedy, once', async (t) => {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const { receiver } = receiverLab({ log })
  for (let n = 0; n < 3; n++) receiver.receive(Buffer.from('{}'), 'sha256=00')
  receiver.handshake({ 'hub.mode': 'subscribe', 'hub.verify_token': 'x', 'hub.challenge': '1' })
  t.match(lines, [
    { level: 40, code: 'APP_WEBHOOK_SIGNATURE', fix: /app_secret/, msg: 'webhook refused' },
    { level: 40, code: 'APP_WEBHOOK_HANDSHAKE', fix: /verify/i, msg: 'webhook refused' },
  ])
})

t.test('a forged one changes nothing', async (t) => {
  const { receiver, events, deliveries } = receiverLab()
  const body = Buffer.from(fixture('call-created'))
  for (const signature of [
    undefined,
    'sha256=00',
    signatureOf(new Secret('another'), body),
    signatureOf(APP_SECRET, Buffer.from(`${body} `)),
  ]) {
    t.equal(receiver.receive(body, signature), 'forged')
  }
  await receiver.idle()
  t.strictSame(events, [])
  t.strictSame(deliveries(), { forged: 4 })
})

t.test('without the secret of the app nothing is believed', async (t) => {
  const { receive, events, deliveries } = receiverLab({ appSecret: () => undefined })
  t.equal(await receive(fixture('call-created')), 'forged')
  t.strictSame(events, [])
  t.strictSame(deliveries(), { forged: 1 })
})

t.test('each event happens once, whatever it is sent in', async (t) => {
  const { receive, events, counted } = receiverLab()
  await receive(fixture('statuses'))
  await receive(fixture('statuses'))
  // The same event in another envelope.
  const { entry } = JSON.parse(fixture('statuses'))
  entry[0].changes[0].value.statuses.splice(1)
  await receive(JSON.stringify({ entry: [...entry, ...entry] }))
  t.equal(events.length, 3)
  t.strictSame(counted(), { 'calls handled': 3, 'calls ignored': 2, 'calls duplicate': 5 })
})

t.test('the same account event at another time is a second one', async (t) => {
  const { receive, events } = receiverLab()
  const again = fixture('account-violation').replace('1700000000', '1700000060')
  await receive(fixture('account-violation'))
  await receive(again)
  await receive(again)
  t.equal(events.length, 2)
})

t.test('events outside the replay window change nothing', async (t) => {
  const { receive, events, counted, clock } = receiverLab()
  const at = (ms: number): string =>
    callEvent({
      id: `wacid.${ms}`,
      event: 'call_created',
      timestamp: String((clock.now() + ms) / 1000),
    })
  await receive(at(-7 * DAY - 1000))
  await receive(at(5 * 60_000 + 1000))
  t.strictSame(events, [])
  t.strictSame(counted(), { 'calls stale': 1, 'calls future': 1 })
  await receive(at(-7 * DAY))
  await receive(at(5 * 60_000))
  t.equal(events.length, 2)
})

t.test('an event kept for later is refused for its age, not for its content', async (t) => {
  const { receive, events, counted, clock } = receiverLab()
  await receive(fixture('terminate-completed'))
  for (let day = 0; day < 9; day++) {
    clock.advance(DAY)
    await receive(fixture('terminate-completed'))
  }
  t.equal(events.length, 1, 'there is no gap between the memory and the window')
  t.strictSame(counted(), { 'calls handled': 1, 'calls duplicate': 7, 'calls stale': 2 })
})

t.test('what is memorised is bounded in number and time', async (t) => {
  const clock = new FakeClock()
  const seen = new SeenContent(clock, 1000, 100)
  for (let i = 0; i < 1000; i++) t.ok(seen.add(`content ${i}`))
  t.equal(seen.size, 100)
  t.equal(seen.add('content 999'), false)
  t.equal(seen.add('content 0'), true, 'the oldest were forgotten')
  clock.advance(1000)
  t.equal(seen.add('content 999'), true)
  t.equal(seen.size, 1)
})

t.test('a full queue sends WhatsApp away, to come again', async (t) => {
  const { receiver, receive, events, deliveries } = receiverLab({ queueLimit: 3 })
  const answers: string[] = []
  for (let i = 0; i < 5; i++) {
    const body = Buffer.from(callEvent({ id: `wacid.${i}`, event: 'call_created' }))
    answers.push(receiver.receive(body, signatureOf(APP_SECRET, body)))
  }
  t.strictSame(answers, ['accepted', 'accepted', 'accepted', 'full', 'full'])
  await receiver.idle()
  t.equal(events.length, 3)
  t.equal(await receive(callEvent({ id: 'wacid.3', event: 'call_created' })), 'accepted')
  t.equal(events.length, 4, 'the repetition is no duplicate')
  t.strictSame(deliveries(), { refused_full: 2, accepted: 4 })
})

t.test('a signed body that is no JSON or no envelope is taken and counted', async (t) => {
  const { receive, events, deliveries } = receiverLab()
  for (const text of ['', '{', 'null', '"x"', '{"entry":1}', '\u0000']) {
    t.equal(await receive(text), 'accepted')
  }
  t.strictSame(events, [])
  t.strictSame(deliveries(), { malformed: 6 })
})

t.test('an event that cannot be handled stops no other', async (t) => {
  const seen: string[] = []
  const lab = receiverLab({
    sinks: {
      onCall: (event) => {
        seen.push(event.wacid)
        if (seen.length === 1) throw new Error('no')
      },
      onSettingsUpdate: () => {},
      onPermissionReply: () => {},
      onAccountUpdate: () => {},
    },
  })
  await lab.receive(fixture('statuses'))
  t.equal(seen.length, 3)
  t.match(lab.counted(), { 'calls failed': 1, 'calls handled': 2 })
})

t.test('others have their turn between the webhooks, sooner when those are large', async (t) => {
  for (const [padding, least] of [
    [10, 100 - 16],
    [200_000, 100 - 1],
  ] as const) {
    const { receiver, events } = receiverLab()
    for (let i = 0; i < 100; i++) {
      const call = { id: `wacid.${i}`, event: 'call_created', padding: 'x'.repeat(padding) }
      const body = Buffer.from(callEvent(call))
      receiver.receive(body, signatureOf(APP_SECRET, body))
    }
    await new Promise((resolve) => setImmediate(resolve))
    t.equal(receiver.queued, least)
    await receiver.idle()
    t.equal(events.length, 100)
  }
})

t.test('when it stops, what was answered is worked off, and nothing more is taken', async (t) => {
  const { receiver, receive, events } = receiverLab()
  for (let i = 0; i < 100; i++) {
    const body = Buffer.from(callEvent({ id: `wacid.${i}`, event: 'call_created' }))
    receiver.receive(body, signatureOf(APP_SECRET, body))
  }
  receiver.stop()
  t.equal(events.length, 100)
  t.equal(await receive(callEvent({ id: 'wacid.x', event: 'call_created' })), 'full')
})
