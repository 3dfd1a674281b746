import t from 'tap'
import { parseAudio } from '../../../src/media/sdp/parse.ts'
import { isCausewayError } from '../../../src/shared/errors/index.ts'
import { editedSdp, sdpFixture } from '../../support/sdp-fixtures.ts'

t.test('WhatsApp’s DTLS offer', async (t) => {
  const audio = parseAudio(sdpFixture('whatsapp-dtls-offer'))
  t.match(audio, {
    address: '198.51.100.49',
    port: 3484,
    rtcp: undefined,
    rtcpMux: true,
    mid: 'audio',
    bundle: true,
    dtls: { setup: 'actpass', fingerprints: [{ algorithm: 'sha-256' }] },
    ice: { ufrag: 'AAECAwQFBgcICQoL', lite: true },
  })
  t.equal(audio.dtls?.fingerprints[0]?.value.length, 95)
  t.equal(audio.ice?.password.reveal(), 'AAECAwQFBgcICQoLDA0ODw==', 'padding is kept')
  t.strictSame(audio.ice?.candidates, [
    {
      foundation: '3935165743',
      component: 1,
      priority: 2122260223,
      address: '198.51.100.49',
      port: 3484,
      type: 'host',
    },
    {
      foundation: '2617197009',
      component: 1,
      priority: 2122262783,
      address: '2001:db8:f36b:131:face:b00c:0:699c',
      port: 3484,
      type: 'host',
    },
  ])
})

t.test('credentials, fingerprints and setup at session level', async (t) => {
  const { dtls, ice } = parseAudio(sdpFixture('webrtc-answer'))
  t.strictSame(
    dtls?.fingerprints.map((one) => one.algorithm),
    ['sha-1', 'sha-256'],
    'every line is kept',
  )
  t.equal(dtls?.setup, 'active')
  t.match(ice, { ufrag: 'abcd', lite: true, candidates: [{ port: 15840 }] })
})

t.test('the m-line’s fingerprint and setup count before the session’s', async (t) => {
  const own = `a=setup:passive\r\na=fingerprint:sha-256 ${'EE:'.repeat(31)}EE\r\na=mid:audio`
  const { dtls } = parseAudio(editedSdp('webrtc-answer', ['a=mid:audio', own]))
  t.match(dtls, { setup: 'passive', fingerprints: [{ value: /^EE/ }] })
  t.equal(dtls?.fingerprints.length, 1)
})

t.test('a browser’s and Asterisk’s candidates: UDP with a literal address', async (t) => {
  const chromium = parseAudio(sdpFixture('chromium-offer'))
  t.strictSame(
    chromium.ice?.candidates.map((one) => one.address),
    ['198.51.100.7'],
  )
  t.equal(chromium.ice?.ufrag, '4711', 'a ufrag of digits stays text')
  t.equal(chromium.mid, '0')
  t.equal(chromium.rtcp, undefined)
  const asterisk = parseAudio(sdpFixture('asterisk-webrtc-offer'))
  t.strictSame(
    asterisk.ice?.candidates.map((one) => one.address),
    ['10.0.0.9', '2001:db8::9'],
  )
  t.equal(asterisk.dtls?.fingerprints[0]?.algorithm, 'sha-256', 'upper case is lowered')
  t.equal(asterisk.ice?.lite, false)
})

t.test('RTCP elsewhere (RFC 3605)', async (t) => {
  t.strictSame(parseAudio(sdpFixture('freeswitch-answer')).rtcp, {
    port: 24791,
    address: '10.0.0.9',
  })
  t.strictSame(parseAudio(sdpFixture('baresip-offer')).rtcp, { port: 10021, address: undefined })
})

t.test('a missing setup counts as actpass, broken fingerprints as none', async (t) => {
  const { dtls } = parseAudio(editedSdp('whatsapp-dtls-offer', ['a=setup:actpass\r\n', '']))
  t.equal(dtls?.setup, 'actpass')
  const broken: [string, string][] = [
    ['not hexadecimal', 'a=fingerprint:sha-256 00:11:zz'],
    ['no value', 'a=fingerprint:sha-256'],
    ['no colons', 'a=fingerprint:sha-256 001122'],
  ]
  for (const [name, line] of broken) {
    const sdp = editedSdp('whatsapp-dtls-offer', [/a=fingerprint.*/, line])
    t.equal(parseAudio(sdp).dtls, undefined, name)
  }
})

t.test('half of the ICE credentials is none', async (t) => {
  for (const line of [/a=ice-ufrag.*\r\n/, /a=ice-pwd.*\r\n/]) {
    t.equal(parseAudio(editedSdp('whatsapp-dtls-offer', [line, ''])).ice, undefined)
  }
})

const malformed: [string, string, string][] = [
  ['no SDP', 'hello', 'MEDIA_SDP_INVALID'],
  ['an empty body', '', 'MEDIA_SDP_INVALID'],
  ['no c= line', editedSdp('asterisk-offer', ['c=IN IP4 10.0.0.9\r\n', '']), 'MEDIA_SDP_INVALID'],
  ['no m= line', editedSdp('asterisk-offer', [/m=audio[\s\S]*/, '']), 'MEDIA_NO_AUDIO'],
  ['a refused stream', editedSdp('asterisk-offer', ['audio 15822', 'audio 0']), 'MEDIA_NO_AUDIO'],
  ['video alone', editedSdp('asterisk-offer', ['m=audio', 'm=video']), 'MEDIA_NO_AUDIO'],
]

for (const [name, sdp, code] of malformed) {
  t.test(`refused: ${name}`, async (t) => {
    try {
      parseAudio(sdp)
      t.fail('accepted')
    } catch (error) {
      t.equal(isCausewayError(error) && error.code, code)
    }
  })
}
