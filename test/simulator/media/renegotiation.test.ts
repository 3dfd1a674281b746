import t from 'tap'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import {
  type Direction,
  MediaEndpoint,
  type MediaEndpointOptions,
  readAudio,
} from '../../../src/simulator/media/index.ts'

/** A PBX's endpoint whose call is agreed with a peer that answers everything. */
async function pair(
  t: { teardown(fn: () => void): void },
  overrides: Partial<MediaEndpointOptions> = {},
): Promise<[MediaEndpoint, MediaEndpoint]> {
  const options: MediaEndpointOptions = {
    clock: systemClock,
    random: systemRandom,
    dialect: 'pbx',
    profile: 'RTP/AVP',
    address: '127.0.0.1',
    codecs: ['opus', 'PCMA'],
    tone: { frequency: 440, level: -12 },
    waits: false,
    ...overrides,
  }
  const a = await MediaEndpoint.open(options)
  const b = await MediaEndpoint.open(options)
  t.teardown(() => {
    a.close()
    b.close()
  })
  await a.complete(await b.answer(a.offer()))
  return [a, b]
}

const versionOf = (sdp: string): number => Number(/^o=- \d+ (\d+)/m.exec(sdp)![1])

t.test('a later offer says what changes, under the next version', async (t) => {
  const [a] = await pair(t)
  const first = a.offer()
  const held = a.reoffer({ direction: 'sendonly' })
  t.equal(versionOf(held), versionOf(first) + 1)
  t.match(held, /^a=sendonly\r$/m)
  const old = a.reoffer({ address: '0.0.0.0' })
  t.match(old, /^c=IN IP4 0\.0\.0\.0\r$/m)
  t.match(old, /^a=sendrecv\r$/m)
  const resumed = a.reoffer({ codecs: ['PCMA'], ptime: 30 })
  t.match(resumed, /^c=IN IP4 127\.0\.0\.1\r$/m)
  t.match(resumed, /^a=ptime:30\r$/m)
  t.match(resumed, /^m=audio \d+ RTP\/AVP 8 101\r$/m)
  await a.move()
  t.not(readAudio(a.reoffer({}))!.port, readAudio(first)!.port)
})

t.test('a refused offer leaves everything as it was but the version', async (t) => {
  const [a] = await pair(t)
  const before = a.offer()
  const refused = a.reoffer({ direction: 'inactive', codecs: ['PCMU'], ptime: 60 })
  a.withdraw()
  const after = a.reoffer({})
  t.equal(versionOf(after), versionOf(refused) + 1)
  t.equal(after.replace(/^o=.*$/m, ''), before.replace(/^o=.*$/m, ''))
})

t.test('types of an agreed call stay in later offers of the other side', async (t) => {
  const [, b] = await pair(t, { payloadTypes: { opus: 96, telephoneEvent: 97 } })
  t.match(b.reoffer({}), /^m=audio \d+ RTP\/AVP 96 8 97\r$/m)
})

t.test('the direction of an answer', async (t) => {
  const table: [Direction, Direction, Direction][] = [
    ['sendrecv', 'sendrecv', 'sendrecv'],
    ['sendonly', 'sendrecv', 'recvonly'],
    ['recvonly', 'sendrecv', 'sendonly'],
    ['inactive', 'sendrecv', 'inactive'],
    ['sendrecv', 'sendonly', 'sendonly'],
    ['sendrecv', 'inactive', 'inactive'],
    ['sendonly', 'sendonly', 'inactive'],
  ]
  for (const [offered, wanted, expected] of table) {
    const [a, b] = await pair(t)
    if (wanted !== 'sendrecv') await b.complete(await a.answer(b.reoffer({ direction: wanted })))
    const answer = await b.answer(a.reoffer({ direction: offered }))
    t.equal(readAudio(answer)!.direction, expected, `${offered} to ${wanted}`)
  }
})

t.test('IPv6 from end to end', async (t) => {
  const [a, b] = await pair(t, { address: '::1', codecs: ['PCMA'] })
  t.match(a.offer(), /^c=IN IP6 ::1\r$/m)
  a.start()
  b.start()
  const end = performance.now() + 5000
  while (!(a.verdict().heard && b.verdict().heard) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.ok(a.verdict().heard && b.verdict().heard)
})

t.test('a DTLS call keeps its port', async (t) => {
  const endpoint = await MediaEndpoint.open({
    clock: systemClock,
    random: systemRandom,
    dialect: 'whatsapp',
    profile: 'UDP/TLS/RTP/SAVPF',
    address: '127.0.0.1',
    codecs: ['opus'],
    tone: { frequency: 440, level: -12 },
    waits: true,
  })
  t.teardown(() => endpoint.close())
  await t.rejects(endpoint.move(), TypeError)
})
