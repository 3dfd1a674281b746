import t from 'tap'
import {
  type PbxCall,
  startToyPbx,
  type ToyPbx,
  type ToyPbxOptions,
} from '../../src/simulator/toy-pbx/index.ts'
import { until } from '../support/until.ts'

async function start(
  t: { teardown(fn: () => unknown): void },
  options: ToyPbxOptions = {},
): Promise<ToyPbx> {
  const pbx = await startToyPbx({ ringMs: 10, ...options })
  t.teardown(() => pbx.close())
  return pbx
}

/** A call between two toy PBXs, answered and heard on both sides. */
async function talk(
  t: { teardown(fn: () => unknown): void },
  options: ToyPbxOptions = {},
  calleeOptions: ToyPbxOptions = options,
): Promise<{ out: PbxCall; inc: PbxCall; callee: ToyPbx }> {
  const callee = await start(t, calleeOptions)
  const caller = await start(t, { ...options, trunk: callee.uri })
  const ringing = callee.next()
  const out = caller.call('+33199001234')
  const inc = await ringing
  await until('audio', () => Boolean(out.media?.heard && inc.media?.heard))
  return { out, inc, callee }
}

/** Waits until `count` more packets have come. */
function more(call: PbxCall, count: number): Promise<void> {
  const target = (call.media?.received.packets ?? 0) + count
  return until('audio', () => (call.media?.received.packets ?? 0) >= target)
}

const hears = (call: PbxCall, frequency: number): boolean =>
  call.media?.received.tones?.some((tone) => tone.frequency === frequency) ?? false

t.test('hold with music, without, and in the old way; and back', async (t) => {
  const { out, inc } = await talk(t)
  t.equal(await inc.hold('sendonly'), 200)
  await until('the other tone', () => hears(out, 660))
  t.ok(hears(out, 660), 'music is heard')
  const ssrcs = out.media!.received.ssrcs.length
  t.equal(await inc.resume(), 200)
  for (const how of ['inactive', 'zero'] as const) {
    t.equal(await inc.hold(how), 200, how)
    const sent = inc.media!.sent.packets
    await new Promise((resolve) => setTimeout(resolve, 100))
    t.ok(inc.media!.sent.packets <= sent + 1, `${how}: nothing is sent`)
    t.equal(await inc.resume(), 200)
    await more(out, 5)
  }
  t.equal(out.media!.received.ssrcs.length, ssrcs)
  t.ok(out.media!.received.longestGap! >= 90, `${out.media!.received.longestGap} ms`)
  t.equal(out.state, 'answered')
})

t.test('a PBX changes its SSRC, port, codec and packet time in a call', async (t) => {
  const { out, inc } = await talk(t, { codecs: ['opus', 'PCMA'], srtp: 'none' })
  inc.changeSsrc()
  await until('another stream', () => out.media?.received.ssrcs.length === 2)
  t.equal(out.media!.received.ssrcs.length, 2)
  t.equal(await inc.changePort(), 200)
  await more(out, 10)
  await more(inc, 10)
  t.equal(await inc.changeCodec('PCMA'), 200)
  t.equal(inc.media!.codec, 'PCMA')
  t.equal(out.media!.codec, 'PCMA')
  t.equal(await inc.changePtime(30), 200)
  const { irregular } = out.media!.received
  await until('other packet times', () => out.media!.received.irregular > irregular + 5)
  t.ok(out.media!.received.irregular > irregular + 5, '30 ms are seen')
  t.equal(await inc.changePtime(20), 200)
  t.equal(await inc.changeCodec('opus', 'PCMA'), 200)
  t.equal(out.media!.codec, 'opus')
  t.equal(await inc.askOffer(), 200)
  await more(out, 10)
  await more(inc, 10)
  t.equal(await out.changeCodec('PCMU'), 488)
  t.equal(await out.modify({}), 200, 'a refusal changes nothing')
})

t.test('silence, digits and a PBX that vanishes', async (t) => {
  const { out, inc } = await talk(t, { codecs: ['PCMA'] })
  inc.dtmf('42')
  await until('a digit', () => out.media?.received.digits.length === 2)
  t.same(
    out.media!.received.digits.map(({ digit }) => digit),
    ['4', '2'],
  )
  await more(out, 12)
  inc.silent(true)
  const { packets } = inc.media!.sent
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.ok(inc.media!.sent.packets <= packets + 1)
  inc.silent(false)
  await more(out, 5)
  inc.vanish()
  t.equal(inc.state, 'ended')
  t.equal(out.state, 'answered', 'nobody has told it')
  await t.rejects(async () => inc.hold(), /ended, not answered/)
})

for (const ptime of [10, 40, 60]) {
  t.test(`G.711 in ${ptime} ms from the start`, async (t) => {
    const { out } = await talk(
      t,
      { codecs: ['PCMU'], srtp: 'none' },
      { codecs: ['PCMU'], srtp: 'none', ptime },
    )
    t.equal(out.media!.received.tone!.frequency, 880)
    t.ok(out.media!.received.irregular > 5)
  })
}

t.test('the offer in the 200, the answer in the ACK', async (t) => {
  const callee = await start(t, { srtp: 'none' })
  const caller = await start(t, { srtp: 'none', trunk: callee.uri })
  const ringing = callee.next()
  const out = caller.call('+33199001234', { lateOffer: true })
  const inc = await ringing
  await until('audio', () => Boolean(out.media?.heard && inc.media?.heard))
  t.ok(out.media?.heard && inc.media?.heard)
})

for (const early of ['same', 'moves'] as const) {
  t.test(`media before the answer: ${early}`, async (t) => {
    const callee = await start(t, { early, srtp: 'none', ringMs: 150 })
    const caller = await start(t, { srtp: 'none', trunk: callee.uri })
    const ringing = callee.next()
    const out = caller.call('+33199001234')
    const inc = await ringing
    await until('audio', () => (inc.media?.sent.packets ?? 0) > 2)
    t.equal(inc.state, 'ringing', 'it speaks while it rings')
    await out.until((call) => call.state === 'answered')
    await until('audio', () => Boolean(out.media?.heard && inc.media?.heard))
    t.ok(out.media?.heard && inc.media?.heard)
  })
}

t.test('REFER is sent, blind and with Replaces', async (t) => {
  const { out, inc } = await talk(t)
  t.equal(await inc.transfer('sip:200@127.0.0.1:5060'), 603)
  t.equal(await inc.transfer('sip:200@127.0.0.1:5060', inc), 603)
  const [blind, attended] = out.referrals
  t.equal(blind, '<sip:200@127.0.0.1:5060>')
  t.match(attended, /^<sip:200@127.0.0.1:5060\?Replaces=\S+%3Bto-tag%3D\S+%3Bfrom-tag%3D\S+>$/)
  t.same(inc.notifications, [])
})
