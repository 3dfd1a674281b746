import t, { type Test } from 'tap'
import { silenceFrame } from '../../../src/media-relay/codec/index.ts'
import { legMedia, legShape, PCMA, PCMU } from '../../support/rtp-peer.ts'
import { CallLab, description, FakeWire, type Sent } from './lab.ts'

/** Asserts one SSRC, sequence numbers without a gap and no pause above `ms`; gives the packets. */
function assertSteady(t: Test, sent: readonly Sent[], ms = 100): void {
  t.equal(new Set(sent.map(({ ssrc }) => ssrc)).size, 1, 'one SSRC')
  let gaps = 0
  let pauses = 0
  let back = 0
  sent.slice(1).forEach((packet, index) => {
    const before = sent[index]!
    if (((packet.sequence - before.sequence) & 0xffff) !== 1) gaps++
    if (packet.at - before.at > ms) pauses++
    if (((packet.timestamp - before.timestamp) | 0) < 0) back++
  })
  t.same({ gaps, pauses, back }, { gaps: 0, pauses: 0, back: 0 })
}

const isSilence = ({ payload }: Sent): boolean => payload.equals(silenceFrame('opus'))

t.test(
  'nothing leaves towards WhatsApp before the start, and the first packet with it',
  async (t) => {
    const lab = await CallLab.open()
    await lab.connect()
    lab.run(2000, () => lab.pbx.receive('early'))
    t.equal(lab.whatsapp.sent.length, 0)
    t.equal(lab.whatsapp.reports.length, 0)
    lab.call.start()
    t.equal(lab.whatsapp.sent.length, 1, 'in the same moment')
    t.match(lab.whatsapp.sent[0], { payloadType: 111, marker: true })
    t.ok(isSilence(lab.whatsapp.sent[0]!))
    lab.call.start()
    t.equal(lab.whatsapp.sent.length, 1, 'idempotent')
  },
)

t.test('with DTLS the first packet leaves when the keys are there', async (t) => {
  const lab = await CallLab.open()
  FakeWire.instantly = false
  await lab.connect()
  lab.call.start()
  lab.run(500)
  t.equal(lab.whatsapp.sent.length, 0)
  lab.whatsapp.becomeReady()
  t.equal(lab.whatsapp.sent.length, 1)
})

t.test('a silent PBX is replaced by 20 ms frames of silence', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(10_000)
  const { sent } = lab.whatsapp
  t.ok(Math.abs(sent.length - 501) <= 1, `${sent.length} frames in 10 s`)
  t.ok(sent.every(isSilence))
  assertSteady(t, sent, 30)
  t.ok(sent.slice(1).every(({ timestamp }, i) => ((timestamp - sent[i]!.timestamp) | 0) === 960))
  t.equal(sent.filter(({ marker }) => marker).length, 1)
  t.equal(lab.call.query().legs.whatsapp?.silenceInserted, sent.length)
})

t.test('audio of the PBX passes as it is, and a pause of 60 ms is filled', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(1000, () => lab.pbx.receive('talk'))
  const talk = lab.whatsapp.sent.filter(({ payload }) => payload.toString() === 'talk')
  t.equal(talk.length, 50)
  t.ok(lab.whatsapp.sent.filter(isSilence).length <= 2)
  lab.run(40)
  const before = lab.whatsapp.sent.length
  lab.run(5000)
  t.ok(lab.whatsapp.sent.length - before >= 245)
  lab.pbx.timestamp += 960 * 252
  lab.run(1000, () => lab.pbx.receive('again'))
  assertSteady(t, lab.whatsapp.sent)
  t.ok(lab.whatsapp.sent.filter(({ payload }) => payload.toString() === 'again').length >= 48)
})

t.test('one stream through hold, transfer, new SSRCs and restarts of the PBX', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(1000, () => lab.pbx.receive('one'))
  await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'inactive' }))
  lab.run(2000)
  await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'recvonly' }))
  lab.pbx.ssrc = 0x9999
  lab.pbx.sequence = 7
  lab.pbx.timestamp = 12
  lab.run(2000, () => lab.pbx.receive('music'))
  await lab.call.answer('pbx', description(), legShape(), legMedia())
  lab.run(1000, () => lab.pbx.receive('back'))

  await lab.call.offer('next', legShape(), undefined)
  await lab.call.accept('next', description(), legMedia())
  const next = lab.wires[2]!
  lab.run(500, () => {
    lab.pbx.receive('old')
    next.receive('new')
  })
  t.notOk(lab.whatsapp.sent.some(({ payload }) => payload.toString() === 'new'))
  t.equal(next.sent.length, 0, 'who takes over later hears nothing yet')
  await lab.call.promote()
  t.ok(lab.pbx.closed)
  lab.run(1000, () => next.receive('new'))
  lab.whatsapp.receive('hello')
  t.equal(next.sent.at(-1)?.payload.toString(), 'hello')

  const { sent } = lab.whatsapp
  for (const word of ['one', 'music', 'back', 'old', 'new']) {
    const heard = sent.filter(({ payload }) => payload.toString() === word).length
    t.ok(heard >= 20, `${word}: ${heard}`)
  }
  assertSteady(t, sent)
})

t.test(
  'a held PBX leg is sent nothing when it does not listen, and is not heard when it may not speak',
  async (t) => {
    const lab = await CallLab.open()
    await lab.connect()
    lab.call.start()
    await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'recvonly' }))
    lab.whatsapp.receive('unheard')
    t.equal(lab.pbx.sent.length, 0)
    await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'sendonly' }))
    lab.whatsapp.receive('heard')
    lab.pbx.receive('unheard')
    t.equal(lab.pbx.sent.length, 1)
    t.match(lab.call.query().legs, { pbx: { held: true }, whatsapp: { held: false } })
    t.notOk(lab.whatsapp.sent.some(({ payload }) => payload.toString() === 'unheard'))
    await lab.call.answer('pbx', description('0.0.0.0'), legShape(), legMedia())
    lab.whatsapp.receive('to nobody')
    t.equal(lab.pbx.sent.length, 1)
  },
)

t.test('G.711 of 60 ms leaves in frames of 20 ms, one by one', async (t) => {
  const lab = await CallLab.open()
  const media = legMedia({ audio: PCMA })
  await lab.connect({ whatsapp: media, pbx: media })
  lab.call.start()
  let n = 0
  lab.run(3000, () => {
    const payload = Buffer.alloc(480, 0x55)
    if (n++ % 3 === 0) lab.pbx.receive(payload, { payloadType: 8 }, 480)
  })
  const { sent } = lab.whatsapp
  t.ok(sent.every(({ payload }) => payload.length === 160))
  t.ok(Math.abs(sent.length - 150) <= 5, `${sent.length} frames in 3 s`)
  assertSteady(t, sent, 40)
  t.ok(
    sent.slice(10).every(({ payload }) => payload[0] === 0x55),
    'no silence in between',
  )
  t.ok(sent.slice(10).every(({ at }, i) => at - sent[i + 9]!.at >= 10))
})

t.test('G.711 of 10 and 30 ms', async (t) => {
  for (const ms of [10, 30]) {
    const lab = await CallLab.open()
    const media = legMedia({ audio: PCMU })
    await lab.connect({ whatsapp: media, pbx: media })
    lab.call.start()
    for (let passed = 0; passed < 3000; passed += ms) {
      lab.pbx.receive(Buffer.alloc(ms * 8, 0x11), { payloadType: 0 }, ms * 8)
      lab.clock.advance(ms)
    }
    const { sent } = lab.whatsapp
    t.ok(sent.every(({ payload }) => payload.length === 160))
    t.ok(Math.abs(sent.length - 150) <= 5, `${sent.length} frames in 3 s`)
    assertSteady(t, sent, 50)
  }
})

t.test('audio formats that differ are converted both ways, within the limit', async (t) => {
  const lab = await CallLab.open({ transcoding: 1 })
  await lab.connect({ pbx: legMedia({ audio: PCMA }) })
  lab.call.start()
  t.equal(lab.engine.status().transcoding.active, 1)
  lab.run(1000, () => {
    lab.pbx.receive(Buffer.alloc(160, 0xd5), { payloadType: 8 }, 160)
    lab.whatsapp.receive(silenceFrame('opus'))
  })
  t.ok(lab.whatsapp.sent.length >= 49)
  assertSteady(t, lab.whatsapp.sent)
  t.equal(lab.pbx.sent.length, 50)
  t.ok(
    lab.pbx.sent.every(({ payload, payloadType }) => payload.length === 160 && payloadType === 8),
  )
  t.ok(
    lab.pbx.sent.slice(1).every(({ timestamp }, i) => {
      return ((timestamp - lab.pbx.sent[i]!.timestamp) | 0) === 160
    }),
  )
  t.equal(lab.call.query().transcoding, true)

  const other = lab.engine.allocate('other', () => {})
  await other.offer('pbx', legShape(), undefined)
  await other.accept('pbx', description(), legMedia({ audio: PCMA }))
  await t.rejects(other.answer('whatsapp', description(), legShape(), legMedia()), {
    code: 'MEDIA_TRANSCODING_LIMIT',
    sip: 488,
  })
  await lab.call.release()
  t.equal(lab.engine.status().transcoding.active, 0)
  await other.answer('whatsapp', description(), legShape(), legMedia())
  t.equal(lab.engine.status().transcoding.active, 1)
  await other.accept('pbx', description(), legMedia())
  t.equal(lab.engine.status().transcoding.active, 0, 'given back when it is not needed any more')
  await other.release()
})

t.test('24 hours: sequence, timestamp and roll-over without a break', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  let packets = 0
  let breaks = 0
  let sequence = -1
  let timestamp = 0
  lab.whatsapp.onSent = (slot) => {
    const next = (slot[2]! << 8) | slot[3]!
    const time = slot.readUInt32BE(4)
    if (sequence >= 0 && ((next - sequence) & 0xffff) !== 1) breaks++
    if (sequence >= 0 && ((time - timestamp) | 0) !== 960) breaks++
    sequence = next
    timestamp = time
    packets++
  }
  lab.call.start()
  const start = lab.clock.monotonic()
  const frames = 24 * 3600 * 50
  for (let frame = 1; frame < frames; frame++) lab.call.tick(start + frame * 20)
  t.equal(packets, frames)
  t.equal(breaks, 0)
  await lab.call.release()
})

t.test('a late timer makes up for three frames and leaves the rest out', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(200)
  const before = lab.whatsapp.sent.length
  const now = lab.clock.monotonic()
  lab.call.tick(now + 50)
  t.ok(lab.whatsapp.sent.length - before <= 3)
  const later = lab.whatsapp.sent.length
  lab.call.tick(now + 5000)
  t.equal(lab.whatsapp.sent.length - later, 1)
  const [a, b] = lab.whatsapp.sent.slice(-2)
  t.equal(b!.marker, true)
  t.ok(Math.abs(((b!.timestamp - a!.timestamp) | 0) / 48 - 4950) < 60, 'time has passed')
})
