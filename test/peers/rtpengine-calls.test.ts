import t from 'tap'
import { NgClient } from '../../src/media/rtpengine/client.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { systemRandom } from '../../src/shared/random.ts'
import type { CallRecord } from '../../src/simulator/index.ts'
import { type PbxCall, startToyPbx } from '../../src/simulator/toy-pbx/index.ts'
import { causewayPorts } from './support/causeway.ts'
import { startRelayLab } from './support/relay-lab.ts'
import { startRtpengine } from './support/rtpengine.ts'
import { until } from './support/until.ts'

/** Voices of the toy PBX in Hz: in calls it gets, and in its own. */
const [INCOMING, OUTGOING] = [880, 1000]

t.setTimeout(90_000)
const ports = await causewayPorts()
const engines = [await startRtpengine(), await startRtpengine()]
const [first, second] = engines.map(({ ngPort }) => `udp://127.0.0.1:${ngPort}`)
const pbx = await startToyPbx({ srtp: 'none', trunk: `sip:127.0.0.1:${ports.pbx}` })
t.teardown(async () => {
  await pbx.close()
  for (const engine of engines) await engine.stop()
})
const lab = await startRelayLab(t, {
  ports,
  media: { relay: 'rtpengine', rtpengine: [first, second] },
  pbx: pbx.address,
  trunk: { srtp: 'none', codecs: ['opus', 'PCMA'] },
  // What rtpengine passes through has the SSRC of its source, which changes.
  strict: false,
})

/** A consumer calls and the PBX answers. */
async function call(): Promise<[CallRecord, PbxCall]> {
  const incoming = pbx.next()
  const placed = lab.place()
  const answered = await incoming
  await placed.until(({ state }) => state === 'answered')
  await answered.until(({ state }) => state === 'answered')
  return [placed, answered]
}

/** WhatsApp's rules that were broken, but for those of one stream. */
function broken({ violations }: CallRecord): string[] {
  const stream = ['ssrc', 'sequence', 'timestamp']
  return violations.map(({ rule }) => rule).filter((rule) => !stream.includes(rule))
}

/** Calls by instance, and whether each is available. */
async function instances(): Promise<{ calls: number[]; up: number[] }> {
  const metrics = await lab.causeway.metrics()
  const read = (name: string): number[] =>
    [first, second].map((one) => metrics.get(`causeway_media_instance_${name}{instance="${one}"}`)!)
  return { calls: read('calls'), up: read('up') }
}

/** Calls an rtpengine itself knows of. */
async function known(index: number): Promise<unknown> {
  const parts = { clock: systemClock, random: systemRandom }
  const client = new NgClient('127.0.0.1', engines[index]!.ngPort, parts)
  const { calls } = await client.request('list')
  client.close()
  return calls
}

t.test('hold, another port, a codec change and our offer leave WhatsApp alone', async (t) => {
  const [consumer, pbxCall] = await call()
  await lab.hears(consumer, INCOMING)
  const messages = consumer.messages.length
  t.equal(await pbxCall.hold('inactive'), 200, 'held')
  t.equal(await pbxCall.resume(), 200, 'resumed')
  t.equal(await pbxCall.changePort(), 200, 'moved')
  await lab.hears(consumer, INCOMING)
  t.equal(await pbxCall.changeCodec('PCMA'), 200, 'another codec')
  await lab.hears(consumer, INCOMING)
  t.equal(await pbxCall.askOffer(), 200, 'an offer of ours')
  await lab.hears(consumer, INCOMING)
  t.equal(consumer.messages.length, messages, 'WhatsApp saw no message of it')
  const rules = consumer.violations.map(({ rule }) => rule)
  t.same(
    rules.filter((rule) => !['ssrc', 'sequence', 'timestamp'].includes(rule)),
    [],
  )
  pbxCall.hangup()
  await consumer.until(() => false)
})

t.test('a late offer of the PBX', async (t) => {
  const coming = lab.expect('+33199005001')
  const pbxCall = pbx.call('+33199005001', { lateOffer: true })
  const consumer = await coming
  await pbxCall.until(({ state }) => state === 'answered')
  await lab.hears(consumer, OUTGOING)
  t.ok((pbxCall.media?.received.packets ?? 0) > 0, 'the PBX hears')
  t.same(broken(consumer), [])
  lab.simulator.sip.hangup(consumer.id)
  await pbxCall.until(() => false)
})

t.test('a blind transfer', async (t) => {
  const [consumer, pbxCall] = await call()
  await lab.hears(consumer, INCOMING)
  const target = pbx.next()
  t.equal(await pbxCall.transfer(`sip:other@127.0.0.1:${pbx.address.port}`), 202)
  const other = await target
  await other.until(({ state }) => state === 'answered')
  await pbxCall.until(() => false)
  await lab.hears(consumer, INCOMING)
  t.equal(consumer.state, 'answered')
  lab.simulator.sip.hangup(consumer.id)
  await other.until(() => false)
})

t.test('two instances share the calls; the calls of one that dies end, others go on', async (t) => {
  const calls = [await call(), await call()]
  t.same(await instances(), { calls: [1, 1], up: [1, 1] })
  const { pid } = engines[0]!
  process.kill(pid, 'SIGKILL')
  const died = performance.now()
  const lost = await Promise.race(
    calls.map(async (pair) => {
      await Promise.all([pair[0].until(() => false), pair[1].until(() => false)])
      return pair
    }),
  )
  t.ok(performance.now() - died < 10_000, `after ${Math.round(performance.now() - died)} ms`)
  const ended = await lab.causeway.get('/api/v1/calls?state=ended')
  t.match(JSON.stringify(ended), /MEDIA_RELAY_LOST/, 'a cause in the record')
  const [kept] = calls.filter((pair) => pair !== lost)
  await lab.hears(kept![0], INCOMING)
  t.equal(kept![0].state, 'answered', 'the other call is up')
  const again = await call()
  await lab.hears(again[0], INCOMING)
  t.same(await instances(), { calls: [0, 2], up: [0, 1] }, 'a new call goes to what is left')
  const { checks } = await lab.health()
  t.match(JSON.stringify(checks), /1 of 2 rtpengine instances answer/)

  engines[0] = await startRtpengine({ ngPort: engines[0]!.ngPort })
  await until('the instance is used again', async () => (await instances()).up[0] === 1)
  const third = await call()
  t.same((await instances()).calls, [1, 2])
  for (const [consumer] of [kept!, again, third]) lab.simulator.sip.hangup(consumer.id)
})

t.test('nothing is left', async (t) => {
  await until('no call', async () => (await instances()).calls.every((calls) => calls === 0))
  t.same([await known(0), await known(1)], [[], []])
})
