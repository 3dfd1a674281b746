import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { codec, legMedia, legShape, PCMA } from '../../support/rtp-peer.ts'
import { CallLab, description } from './lab.ts'

/** Four octets of an RFC 4733 event. */
function event(code: number, duration: number, end = false): Uint8Array {
  return Uint8Array.of(code, end ? 0x8a : 0x0a, duration >> 8, duration & 0xff)
}

/** A WAV of `ms` milliseconds of A-law silence. */
function wav(t: Test, ms: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'causeway-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const data = Buffer.alloc(ms * 8, 0x2a)
  const head = Buffer.alloc(44)
  head.write('RIFF', 0)
  head.writeUInt32LE(36 + data.length, 4)
  head.write('WAVEfmt ', 8)
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(6, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(8000, 24)
  head.writeUInt32LE(8000, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36)
  head.writeUInt32LE(data.length, 40)
  const path = join(folder, 'sound.wav')
  writeFileSync(path, Buffer.concat([head, data]))
  return path
}

t.test('a keypress crosses with the other leg’s number, and is told once', async (t) => {
  const lab = await CallLab.open()
  const events = codec(101, 'telephone-event', 8000, undefined)
  await lab.connect({ pbx: legMedia({ event: events }) })
  lab.call.start()
  lab.run(200, () => lab.whatsapp.receive('talk'))
  const { timestamp } = lab.whatsapp
  const before = lab.pbx.sent.length
  for (const [duration, end] of [
    [160, false],
    [320, false],
    [480, true],
    [480, true],
    [480, true],
  ] as const) {
    const packet = event(5, duration, end)
    lab.whatsapp.receive(packet, { payloadType: 126, timestamp, marker: duration === 160 }, 0)
  }
  const sent = lab.pbx.sent.slice(before)
  t.equal(sent.length, 5)
  t.ok(sent.every(({ payloadType }) => payloadType === 101))
  t.equal(new Set(sent.map(({ timestamp }) => timestamp)).size, 1)
  t.same(
    sent.map(({ marker }) => marker),
    [true, false, false, false, false],
  )
  t.same(lab.told('dtmf'), [{ type: 'dtmf', leg: 'whatsapp', digit: '5', durationMs: 60 }])
  t.match(lab.call.query().dtmf, [{ side: 'whatsapp', digit: '5' }])
})

t.test('without events on the other leg a keypress is told alone', async (t) => {
  const lab = await CallLab.open()
  await lab.connect({ whatsapp: legMedia({ event: undefined }) })
  lab.call.start()
  lab.run(100)
  const before = lab.whatsapp.sent.length
  lab.pbx.receive(event(11, 800, true), { payloadType: 126 }, 0)
  t.equal(lab.whatsapp.sent.length, before)
  t.match(lab.told('dtmf'), [{ leg: 'pbx', digit: '#', durationMs: 100 }])
})

t.test('the first packet of each leg is told', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.clock.advance(1000)
  lab.call.start()
  lab.clock.advance(300)
  lab.whatsapp.receive('one')
  lab.whatsapp.receive('two')
  lab.pbx.receive('one')
  t.same(lab.told('media-up'), [
    { type: 'media-up', leg: 'whatsapp', afterMs: 300 },
    { type: 'media-up', leg: 'pbx', afterMs: 1300 },
  ])
})

t.test('silence of one side: told, judged, and cleared', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(5000, () => lab.whatsapp.receive('talk'))
  t.match(lab.told('silence'), [{ leg: 'pbx' }])
  t.same(lab.told('one-way'), [{ type: 'one-way', silent: 'pbx' }])
  t.match(lab.told('verdict'), [{ verdict: { code: 'MEDIA_SILENT_PBX' }, cleared: false }])
  t.equal(lab.call.query().verdict, 'one-way')
  lab.run(5000, () => {
    lab.whatsapp.receive('talk')
    lab.pbx.receive('talk')
  })
  t.match(lab.told('verdict'), [{ cleared: false }, { cleared: true }])
  t.equal(lab.call.query().verdict, 'good')
  lab.run(30_000, () => lab.whatsapp.receive('talk'))
  t.same(
    lab.told('silence').map((event) => event.type === 'silence' && event.seconds),
    [3, 3, 13, 23],
  )
})

t.test('a PBX that holds and may send music: silence is told and no fault', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  const talk = (pbx: boolean) => () => {
    lab.whatsapp.receive('talk')
    if (pbx) lab.pbx.receive('talk')
  }
  lab.run(2000, talk(true))
  await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'recvonly' }))
  lab.run(5000, talk(false))
  t.match(lab.told('silence'), [{ leg: 'pbx' }])
  t.same(lab.told('sound'), [])
  t.match(lab.call.query(), { verdict: 'good', verdicts: [] })
  lab.run(2000, talk(true))
  t.same(lab.told('sound'), [{ type: 'sound', leg: 'pbx' }], 'its music has begun')
  t.same(lab.told('verdict'), [])
})

t.test('silence of a PBX on hold is no fault', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(2000, () => {
    lab.whatsapp.receive('talk')
    lab.pbx.receive('talk')
  })
  await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'inactive' }))
  lab.run(20_000, () => lab.whatsapp.receive('talk'))
  t.same(lab.told('verdict'), [])
  t.same(lab.told('silence'), [])
  t.match(lab.call.query(), { verdict: 'good', legs: { pbx: { held: true } } })
})

t.test('holds too short to be looked at are no silence afterwards', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  const talk = (): void => {
    lab.whatsapp.receive('talk')
    lab.pbx.receive('talk')
  }
  lab.run(5100, talk)
  for (let time = 0; time < 60; time++) {
    await lab.call.answer('pbx', description(), legShape(), legMedia({ direction: 'inactive' }))
    // On its way when the hold began.
    if (time % 2 === 0) lab.pbx.receive('talk')
    lab.run(400, () => lab.whatsapp.receive('talk'))
    await lab.call.answer('pbx', description(), legShape(), legMedia())
    lab.run(120, () => lab.whatsapp.receive('talk'))
    lab.run(500, talk)
  }
  t.same(lab.told('verdict'), [])
  t.ok(lab.call.query().legs.pbx!.received.longestGapMs < 400, 'the hold is no gap')
})

t.test('nothing is expected before the start', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.run(60_000)
  t.same(lab.events, [])
  t.equal(lab.call.query().verdict, 'none')
})

t.test('payload types nobody agreed on are counted and judged', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(5000, () => {
    lab.whatsapp.receive('talk')
    lab.pbx.receive('talk', { payloadType: 3 })
  })
  t.match(lab.told('verdict'), [{ verdict: { code: 'MEDIA_WRONG_PAYLOAD_TYPE', side: 'pbx' } }])
  t.equal(lab.call.query().legs.pbx?.discarded.wrongPayloadType, 250)
  t.notOk(lab.whatsapp.sent.some(({ payload }) => payload.toString() === 'talk'))
})

t.test('comfort noise of the PBX is no fault: silence stands in', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(1000, () => lab.pbx.receive('n', { payloadType: 13 }))
  t.equal(lab.call.query().legs.pbx?.discarded.wrongPayloadType, 0)
  t.ok(lab.whatsapp.sent.length >= 48)
})

t.test('a format that was offered and not chosen is taken all the same', async (t) => {
  const lab = await CallLab.open({ transcoding: 1 })
  await lab.connect({ pbx: legMedia({ accepts: [PCMA] }) })
  lab.call.start()
  lab.run(1000, () => lab.pbx.receive(Buffer.alloc(160, 0x55), { payloadType: 8 }, 160))
  t.equal(lab.engine.status().transcoding.active, 1)
  t.ok(lab.call.query().legs.whatsapp!.silenceInserted < 5)
  await lab.call.release()
  t.equal(lab.engine.status().transcoding.active, 0)
})

t.test('a file is played instead of the other side, and its end is told', async (t) => {
  const lab = await CallLab.open()
  const media = legMedia({ audio: PCMA })
  await lab.connect({ whatsapp: media, pbx: media })
  lab.call.start()
  const file = wav(t, 1000)
  await lab.call.play('whatsapp', { file, loop: false })
  lab.run(900, () => lab.pbx.receive(Buffer.alloc(160, 0x77), { payloadType: 8 }, 160))
  const played = lab.whatsapp.sent.slice(1)
  t.ok(played.length >= 43)
  t.ok(played.every(({ payload }) => payload[80] === 0x2a))
  t.same(lab.told('played'), [])
  lab.run(300)
  t.same(lab.told('played'), [{ type: 'played', leg: 'whatsapp', file }])
  lab.run(200, () => lab.pbx.receive(Buffer.alloc(160, 0x77), { payloadType: 8 }, 160))
  t.equal(lab.whatsapp.sent.at(-1)!.payload[80], 0x77)
})

t.test('a file in a loop plays until it is stopped, to the PBX as well', async (t) => {
  const lab = await CallLab.open()
  const media = legMedia({ audio: PCMA })
  await lab.connect({ whatsapp: media, pbx: media })
  lab.call.start()
  await lab.call.play('pbx', { file: wav(t, 200), loop: true })
  lab.run(2000)
  t.ok(lab.pbx.sent.length >= 98)
  t.equal(new Set(lab.pbx.sent.map(({ ssrc }) => ssrc)).size, 1)
  await lab.call.play('pbx', undefined)
  const before = lab.pbx.sent.length
  lab.run(500)
  t.equal(lab.pbx.sent.length, before)
  t.same(lab.told('played'), [])
})

t.test('a file that cannot be played is refused', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  await t.rejects(lab.call.play('whatsapp', { file: '/nowhere/a.wav', loop: false }), {
    code: 'MEDIA_FILE_INVALID',
  })
})

t.test('reports leave every few seconds on each leg, and a BYE at the end', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(60_000, () => {
    lab.whatsapp.receive('talk')
    lab.pbx.receive('talk')
  })
  for (const { reports } of [lab.whatsapp, lab.pbx]) {
    t.ok(reports.length >= 8 && reports.length <= 25, `${reports.length} in a minute`)
    t.equal(reports[0]![1], 200, 'sender reports')
  }
  await lab.call.release()
  for (const { reports, closed } of [lab.whatsapp, lab.pbx]) {
    t.equal(reports.at(-1)!.at(-7), 203, 'BYE')
    t.ok(closed)
  }
})

t.test('after the release nothing is told, nothing is sent and no timer runs', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(100)
  const [a, b] = await Promise.all([lab.call.release(), lab.call.release()])
  t.equal(a, b, 'idempotent')
  t.match(a?.legs.whatsapp, { silenceInserted: 6 })
  const told = lab.events.length
  const sent = lab.whatsapp.sent.length
  lab.whatsapp.receive('late')
  lab.pbx.receive('late')
  lab.call.start()
  lab.run(1000)
  t.equal(lab.events.length, told)
  t.equal(lab.whatsapp.sent.length, sent)
  t.equal(lab.clock.pending, 0)
  await t.rejects(lab.call.offer('pbx', legShape(), undefined), { code: 'MEDIA_RELAY_LOST' })
})

t.test('a refused offer leaves the leg as it was', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.pbx.refuses = new Error('no')
  const other = legMedia({ audio: PCMA })
  await t.rejects(lab.call.answer('pbx', description(), legShape(), other), { message: 'no' })
  lab.run(200, () => lab.pbx.receive('talk'))
  t.equal(lab.whatsapp.sent.at(-1)?.payload.toString(), 'talk')
  t.notOk(lab.pbx.closed)
})

t.test('a leg is answered, dropped and promoted only where there is one', async (t) => {
  const lab = await CallLab.open()
  await t.rejects(lab.call.accept('pbx', description(), legMedia()), { code: 'MEDIA_STATE' })
  await t.rejects(lab.call.promote(), { code: 'MEDIA_STATE' })
  await lab.call.drop('next')
  await lab.call.play('pbx', undefined)
  await t.rejects(lab.call.play('pbx', { file: '/a.wav', loop: false }), { code: 'MEDIA_STATE' })
  await lab.call.offer('pbx', legShape(), undefined)
  lab.pbx.refuses = new Error('no')
  await t.rejects(lab.call.accept('pbx', description(), legMedia()), { message: 'no' })
  await lab.call.drop('pbx')
  t.ok(lab.pbx.closed)
})

t.test('another keying in a later offer brings another wire, and the stream goes on', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  lab.call.start()
  lab.run(200, () => lab.whatsapp.receive('talk'))
  const { ssrc, sequence } = lab.pbx.sent.at(-1)!
  await lab.call.answer('pbx', description(), legShape({ keying: 'dtls' }), legMedia())
  const next = lab.wires[2]!
  t.equal(next.kind, 'dtls')
  t.ok(lab.pbx.closed)
  lab.whatsapp.receive('talk')
  t.match(next.sent[0], { ssrc, sequence: (sequence + 1) & 0xffff })
})

t.test('a fault of ours ends its call alone, once', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  const told: string[] = []
  const other = lab.engine.allocate('other', ({ type }) => told.push(type))
  await other.answer('whatsapp', description(), legShape(), legMedia())
  other.start()
  lab.call.start()
  lab.pbx.onSent = () => {
    throw new Error('fault')
  }
  lab.whatsapp.receive('one')
  lab.whatsapp.receive('two')
  t.match(lab.told('ended'), [{ type: 'ended', error: { code: 'MEDIA_RELAY_LOST' } }])
  t.equal(lab.told('ended').length, 1)
  lab.whatsapp.onSent = lab.pbx.onSent
  lab.run(1000)
  t.equal(lab.told('ended').length, 1)
  t.ok(lab.wires[2]!.sent.length >= 50, 'the other call goes on')
  t.same(told, [])
  await lab.call.release()
  await other.release()
})

t.test('a leg that fails before it took over is no end', async (t) => {
  const lab = await CallLab.open()
  await lab.connect()
  await lab.call.offer('next', legShape(), undefined)
  const error = new CausewayError('MEDIA_ICE_FAILED')
  lab.wires[2]!.events.onFailed(error)
  t.same(lab.told('ended'), [])
  lab.whatsapp.events.onFailed(error)
  t.same(lab.told('ended'), [{ type: 'ended', error }])
})
