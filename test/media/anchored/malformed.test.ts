import { readdirSync } from 'node:fs'
import t from 'tap'
import { isCausewayError } from '../../../src/shared/errors/index.ts'
import { establishedLab, openLab } from '../../support/anchored-lab.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { sdpFixture } from '../../support/sdp-fixtures.ts'

const names = readdirSync(new URL('../../fixtures/sdp/', import.meta.url))
  .map((file) => file.replace(/\.sdp$/, ''))
  .sort()

/** Twins of a description: each line missing, cut, doubled or with a byte changed. */
function* twins(sdp: string, random: FakeRandom): Generator<string> {
  const lines = sdp.split('\r\n').filter((line) => line !== '')
  const joined = (change: (at: number) => string[]): string[] =>
    lines.map((_, at) =>
      lines.flatMap((line, index) => (index === at ? change(at) : [line])).join('\r\n'),
    )
  yield* joined(() => [])
  // A parser that turns digits into numbers is surprised most easily by digits where words belong.
  yield* joined((at) => [lines[at]!.replace(/([ :/])[A-Za-z][^ :/]*/, '$147')])
  yield* joined((at) => [lines[at]!.replace(/[ :/][^ :/]+$/, ' 47')])
  yield* joined((at) => [lines[at]!.replace(/\d+/, '')])
  yield* joined((at) => [lines[at]!.replace(/\d+/, '99999999999')])
  yield* joined((at) => [lines[at]!.slice(0, random.int(1, lines[at]!.length + 1))])
  yield* joined((at) => [lines[at]!, lines[at]!])
  yield* joined((at) => {
    const line = lines[at]!
    const where = random.int(0, line.length)
    return [
      line.slice(0, where) + String.fromCharCode(random.int(0x20, 0x17f)) + line.slice(where + 1),
    ]
  })
  for (let length = 0; length < sdp.length; length += 37) yield sdp.slice(0, length)
}

/** Takes it, or refuses it with a code of the area that a peer can be answered with. */
async function settles(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act()
  } catch (error) {
    if (!isCausewayError(error)) return String((error as Error).stack)
    if (!error.code.startsWith('MEDIA_') || error.sip < 400) return error.message
  }
  return undefined
}

for (const name of names) {
  t.test(`${name}: a spoilt twin is taken or refused, never a crash`, async (t) => {
    const random = new FakeRandom(7)
    let count = 0
    for (const sdp of twins(sdpFixture(name), random)) {
      count++
      const { session: up } = await establishedLab()
      const waiting = openLab({ srtp: 'sdes' })
      await waiting.session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
      const called = openLab({ whatsapp: 'DTLS' })
      await called.session.offer('pbx', sdpFixture('asterisk-offer'))
      const results = [
        await settles(() => openLab().session.offer('whatsapp', sdp)),
        await settles(() =>
          openLab({ abilities: { dtlsWithoutIce: true } }).session.offer('pbx', sdp),
        ),
        await settles(() => waiting.session.answer('pbx', sdp)),
        await settles(() => called.session.answer('whatsapp', sdp)),
        await settles(() => up.reoffer(sdp)),
      ]
      const wrong = results.find((result) => result !== undefined)
      if (wrong !== undefined) t.fail(wrong, { sdp })
    }
    t.ok(count > 40, `${count} twins`)
  })
}
