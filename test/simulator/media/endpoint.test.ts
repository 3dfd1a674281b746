import { readFileSync } from 'node:fs'
import t from 'tap'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import {
  type CodecName,
  MediaEndpoint,
  type MediaEndpointOptions,
} from '../../../src/simulator/media/index.ts'
import { until } from '../../support/until.ts'

function options(overrides: Partial<MediaEndpointOptions>): MediaEndpointOptions {
  return {
    clock: systemClock,
    random: systemRandom,
    dialect: 'pbx',
    profile: 'RTP/SAVP',
    address: '127.0.0.1',
    codecs: ['opus', 'PCMA', 'PCMU'],
    tone: { frequency: 440, level: -12 },
    waits: false,
    ...overrides,
  }
}

async function talk(
  t: { teardown(fn: () => void): void },
  codecs: CodecName[],
  profile: MediaEndpointOptions['profile'],
): Promise<[MediaEndpoint, MediaEndpoint]> {
  const caller = await MediaEndpoint.open(
    options({ dialect: 'whatsapp', waits: true, codecs, profile }),
  )
  const callee = await MediaEndpoint.open(
    options({ profile, tone: { frequency: 880, level: -20 } }),
  )
  t.teardown(() => {
    caller.close()
    callee.close()
  })
  await caller.complete(await callee.answer(caller.offer()))
  caller.start()
  callee.start()
  return [caller, callee]
}

for (const [codec, profile] of [
  ['opus', 'RTP/SAVP'],
  ['PCMA', 'RTP/SAVP'],
  ['PCMU', 'RTP/AVP'],
] as const) {
  t.test(`${codec} over ${profile}: each side hears the other's tone`, async (t) => {
    const [caller, callee] = await talk(t, [codec], profile)
    await until('audio', () => caller.verdict().heard && callee.verdict().heard)
    const atCaller = caller.verdict()
    const atCallee = callee.verdict()
    t.equal(atCaller.codec, codec)
    t.equal(atCaller.received.tone?.frequency, 880)
    t.equal(atCallee.received.tone?.frequency, 440)
    t.ok(
      Math.abs(atCaller.received.tone!.level + 20) <= 2,
      `level ${atCaller.received.tone!.level}`,
    )
    t.ok(
      Math.abs(atCallee.received.tone!.level + 12) <= 2,
      `level ${atCallee.received.tone!.level}`,
    )
    for (const { received, rejected } of [atCaller, atCallee]) {
      t.equal(received.ssrcs.length, 1)
      t.equal(received.irregular, 0)
      t.equal(received.lost, 0)
      t.equal(rejected, 0)
    }
    t.equal(atCaller.received.ssrcs[0], atCallee.sent.ssrc)
  })
}

t.test('a waiting side is silent until the first packet comes', async (t) => {
  const [caller, callee] = await talk(t, ['PCMA'], 'RTP/SAVP')
  // Whoever answers sends first here; stopped before the caller's first tick it would stay alone.
  await until('audio', () => callee.verdict().received.packets > 3)
  t.ok(caller.verdict().received.packets >= callee.verdict().received.packets)
  t.type(caller.verdict().firstPacketAfter, 'number')

  const alone = await MediaEndpoint.open(options({ dialect: 'whatsapp', waits: true }))
  const mute = await MediaEndpoint.open(options({ waits: true }))
  t.teardown(() => {
    alone.close()
    mute.close()
  })
  await alone.complete(await mute.answer(alone.offer()))
  alone.start()
  mute.start()
  await new Promise((resolve) => setTimeout(resolve, 100))
  t.equal(alone.verdict().sent.packets, 0, 'two waiting sides deadlock, as with WhatsApp')
})

t.test('digits travel as RFC 4733 events in the stream of the audio', async (t) => {
  const [caller, callee] = await talk(t, ['opus'], 'RTP/SAVP')
  await until('audio', () => callee.verdict().received.packets > 2)
  caller.dtmf('12#', 100)
  await until(
    'the digits',
    () =>
      callee
        .verdict()
        .received.digits.map((d) => d.digit)
        .join('') === '12#',
  )
  const { received } = callee.verdict()
  t.equal(received.digits.map((digit) => digit.digit).join(''), '12#')
  t.equal(received.digits[0]!.duration, 100)
  t.equal(received.ssrcs.length, 1)
  t.equal(received.irregular, 0)
  t.throws(() => caller.dtmf('1x'), RangeError)
})

t.test('keys that differ carry nothing', async (t) => {
  const [caller, callee] = await talk(t, ['PCMA'], 'RTP/SAVP')
  const stranger = await MediaEndpoint.open(options({ codecs: ['PCMA'] }))
  t.teardown(() => stranger.close())
  await stranger.complete(callee.offer())
  stranger.start()
  await until('another stream', () => callee.verdict().rejected > 0)
  t.ok(callee.verdict().rejected > 0)
  t.equal(callee.verdict().received.ssrcs.length <= 1, true)
  t.ok(caller)
})

t.test('packets before the answer are noticed', async (t) => {
  const caller = await MediaEndpoint.open(options({ dialect: 'whatsapp', waits: true }))
  const callee = await MediaEndpoint.open(options({}))
  t.teardown(() => {
    caller.close()
    callee.close()
  })
  const answer = await callee.answer(caller.offer())
  callee.start()
  await until('audio', () => callee.verdict().sent.packets > 5)
  await caller.complete(answer)
  t.ok(caller.verdict().earlyBy! >= 60, `${caller.verdict().earlyBy} ms`)
})

t.test('nothing in common is refused', async (t) => {
  const caller = await MediaEndpoint.open(options({ codecs: ['PCMA'] }))
  const callee = await MediaEndpoint.open(options({ codecs: ['opus'] }))
  const plain = await MediaEndpoint.open(options({ profile: 'RTP/AVP' }))
  t.teardown(() => {
    for (const endpoint of [caller, callee, plain]) endpoint.close()
  })
  await t.rejects(callee.answer(caller.offer()), /no codec in common/)
  await t.rejects(plain.answer(caller.offer()), /profile RTP\/SAVP meets RTP\/AVP/)
})

t.test(
  "under DTLS the answer has WhatsApp's shape, and nothing is sent without a peer",
  async (t) => {
    const profile = 'UDP/TLS/RTP/SAVPF'
    const endpoint = await MediaEndpoint.open(
      options({ dialect: 'whatsapp', waits: true, profile, codecs: ['opus'] }),
    )
    t.teardown(() => endpoint.close())
    const offer = readFileSync(
      new URL('../../fixtures/sdp/whatsapp-dtls-offer.sdp', import.meta.url),
      'utf8',
    )
    const answer = await endpoint.answer(offer)
    for (const line of [/^a=ice-lite\r$/m, /^a=setup:passive\r$/m, /^a=fingerprint:sha-256 /m]) {
      t.match(answer, line)
    }
    t.match(answer, /^a=ice-pwd:\S{22}==\r$/m)
    t.notMatch(answer, /a=crypto/)
    endpoint.start()
    t.equal(endpoint.verdict().sent.packets, 0)
  },
)
