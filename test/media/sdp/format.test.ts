import t from 'tap'
import { formatAudio } from '../../../src/media/sdp/format.ts'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import { DescriptionWriter } from '../../../src/media/sdp/writer.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { sdpFixture, sdpLines, sdpVersion } from '../../support/sdp-fixtures.ts'

t.test('what is written reads back the same', async (t) => {
  const names = [
    'whatsapp-dtls-offer',
    'whatsapp-sdes-offer',
    'asterisk-webrtc-offer',
    'freeswitch-answer',
    'pbx-several-suites-offer',
    'webrtc-answer',
  ]
  for (const name of names) {
    const audio = parseAudio(sdpFixture(name))
    // We write neither lifetime nor MKI.
    const crypto = audio.crypto.map((line) => ({ ...line, lifetime: undefined, mki: undefined }))
    const again = parseAudio(formatAudio(audio, { sessionId: '1', version: 1 }))
    t.same(again, { ...audio, crypto }, name)
    t.equal(again.ice?.password.reveal(), audio.ice?.password.reveal(), name)
  }
})

t.test('the shape of an answer to WhatsApp with DTLS (dossier 7.2)', async (t) => {
  const audio = parseAudio(sdpFixture('business-dtls-answer'))
  const text = formatAudio(
    { ...audio, source: { ssrc: 7, cname: 'causeway' } },
    { sessionId: '4611', version: 1 },
  )
  const wanted = sdpLines(sdpFixture('business-dtls-answer')).filter(
    (line) => !/^a=(ptime|maxptime)/.test(line),
  )
  t.strictSame(
    sdpLines(text).filter((line) => !/^a=(ptime|maxptime|ssrc)/.test(line)),
    wanted,
  )
  t.match(text, /^a=ssrc:7 cname:causeway\r$/m)
})

t.test('the o= version grows when the text changes, and only then', async (t) => {
  const writer = new DescriptionWriter(new FakeRandom())
  const audio = parseAudio(sdpFixture('asterisk-offer'))
  const first = writer.write(audio)
  t.equal(writer.write(audio), first)
  const held = writer.write({ ...audio, direction: 'inactive' })
  t.equal(sdpVersion(held), sdpVersion(first) + 1)
  t.equal(sdpVersion(writer.write(audio)), sdpVersion(first) + 2)
  const id = (text: string) => /^o=- (\d+) /m.exec(text)?.[1]
  t.equal(id(held), id(first))
})
