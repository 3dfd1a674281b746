import { readFileSync } from 'node:fs'
import t from 'tap'
import { Secret } from '../../../src/shared/secret.ts'
import { judgeSdp } from '../../../src/simulator/media/index.ts'
import { readAudio } from '../../../src/simulator/media/sdp.ts'
import { type LocalAudio, whatsappSdp } from '../../../src/simulator/media/sdp-write.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../fixtures/sdp/${name}.sdp`, import.meta.url), 'utf8')
const key = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'
const pbxKey = 'PBXECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'

const sdes: LocalAudio = {
  profile: 'RTP/SAVP',
  sessionId: 1789000000123,
  version: 2,
  address: '198.51.100.130',
  port: 3480,
  formats: [{ name: 'opus', payloadType: 111 }],
  telephoneEvent: 126,
  key: new Secret(key),
  cryptoTag: 1,
  ssrc: 1615009994,
  stream: '3b6f1d52-6b0e-4f5e-9a77-0d2f6f6b1a01',
}

t.test('the SDES offer is byte for byte the shape of a real one', async (t) => {
  t.equal(whatsappSdp(sdes), fixture('whatsapp-sdes-offer'))
  t.equal(Buffer.byteLength(whatsappSdp(sdes)), 645)
})

t.test('the DTLS offer is byte for byte the shape of a real one', async (t) => {
  const hex = '00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF'
  const offer = whatsappSdp({
    ...sdes,
    profile: 'UDP/TLS/RTP/SAVPF',
    address: '198.51.100.49',
    port: 3484,
    ssrc: 1047224411,
    dtls: {
      ufrag: 'AAECAwQFBgcICQoL',
      password: new Secret('AAECAwQFBgcICQoLDA0ODw=='),
      fingerprint: `${hex}:${hex}`,
      setup: 'actpass',
      second: '2001:db8:f36b:131:face:b00c:0:699c',
    },
  })
  t.equal(offer, fixture('whatsapp-dtls-offer'))
  t.equal(Buffer.byteLength(offer), 1028)
})

t.test('a business offer is read', async (t) => {
  const audio = readAudio(fixture('pbx-sdes-offer'))!
  t.equal(audio.profile, 'RTP/SAVP')
  t.equal(audio.address, '203.0.113.20')
  t.equal(audio.port, 19534)
  t.same(
    audio.formats.map((format) => [format.name, format.payloadType, format.rate]),
    [
      ['opus', 107, 48000],
      ['PCMU', 0, 8000],
      ['PCMA', 8, 8000],
    ],
  )
  t.equal(audio.telephoneEvent, 101)
  t.equal(audio.cryptos[0]!.key.reveal(), pbxKey)
  t.equal(`${audio.cryptos[0]!.key}`, '[redacted]')
})

t.test('a single payload type, digits as user name, several fingerprints', async (t) => {
  const audio = readAudio(
    fixture('business-dtls-answer')
      .replace('111 126\r\n', '111\r\n')
      .replace('a=ice-ufrag:Xy12', 'a=ice-ufrag:4711')
      .replace('a=setup', 'a=fingerprint:SHA-512 AA:BB\r\na=setup'),
  )!
  t.same(
    audio.formats.map((format) => format.name),
    ['opus'],
  )
  t.equal(audio.ice?.ufrag, '4711')
  t.same(
    audio.fingerprints.map(({ algorithm }) => algorithm),
    ['sha-256', 'sha-512'],
  )
  t.equal(readAudio(fixture('pbx-sdes-offer'))!.ice, undefined)
})

t.test('malformed twins of an SDP are read as far as they go, never thrown at', async (t) => {
  for (const name of ['business-dtls-answer', 'pbx-sdes-offer']) {
    const text = fixture(name)
    const lines = text.split('\r\n')
    const twins = [
      '',
      'v=0',
      text.slice(0, 90),
      text.replaceAll('\r\n', '\n'),
      text.replaceAll(/\d+/g, 'x'),
      text.replaceAll(':', ''),
      text.replaceAll(' ', ''),
      ...lines.map((_, i) => lines.filter((_, other) => other !== i).join('\r\n')),
      ...lines.map((line, i) => lines.with(i, line.slice(0, 4)).join('\r\n')),
    ]
    for (const twin of twins) {
      for (const srtp of ['DTLS', 'SDES'] as const) {
        const { refusal, violations } = judgeSdp(readAudio(twin), { srtp, codecs: [] }, 'offer')
        t.ok(refusal === undefined || refusal.length > 0)
        t.ok(Array.isArray(violations))
      }
    }
  }
})

t.test('judging business SDPs', async (t) => {
  const offer = fixture('pbx-sdes-offer')
  const policy = { srtp: 'SDES', codecs: [] } as const
  const judge = (sdp: string, codecs: readonly ('PCMA' | 'PCMU')[] = []) =>
    judgeSdp(readAudio(sdp), { ...policy, codecs }, 'offer')
  const crypto = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${pbxKey}\r\n`

  t.same(judge(offer), { refusal: undefined, violations: [] })
  t.same(judgeSdp(readAudio(fixture('pbx-sdes-answer')), policy, 'answer'), {
    refusal: undefined,
    violations: [],
  })
  const refused: [string, string, RegExp][] = [
    ['no crypto', offer.replace(crypto, ''), /No supported crypto/],
    ['another suite', offer.replace('SHA1_80', 'SHA1_32'), /No supported crypto/],
    ['a short key', offer.replace(pbxKey, 'AAECAwQFBgcICQoLDA0O'), /No supported crypto/],
    ['plain RTP', offer.replace('RTP/SAVP', 'RTP/AVP'), /No supported crypto/],
    ['30 ms frames', offer.replace('a=ptime:20', 'a=ptime:30'), /ptime/],
    ['video too', `${offer}m=video 1 RTP/SAVP 96\r\n`, /More than one/],
    ['no Opus', offer.replace('107 0 8 101', '0 8 101'), /No supported audio codec/],
    ['no audio', 'v=0\r\no=- 1 1 IN IP4 203.0.113.10\r\ns=-\r\nt=0 0\r\n', /No audio/],
  ]
  for (const [name, sdp, text] of refused) t.match(judge(sdp).refusal, text, name)
  t.equal(judge(offer.replace('107 0 8 101', '0 8 101'), ['PCMU']).refusal, undefined)

  const second = crypto.replace('crypto:1', 'crypto:2')
  t.match(judge(offer.replace(crypto, crypto + second)).violations, ['2 crypto lines'])
  t.match(judge(offer.replace(pbxKey, `${pbxKey}|2^31`)).violations, ['lifetime'])
  t.match(judge(offer.replace('telephone-event/8000', 'telephone-event/48000')).violations, [
    'telephone-event/48000',
  ])

  const dtls = { srtp: 'DTLS', codecs: [] } as const
  t.equal(judgeSdp(readAudio(offer), dtls, 'offer').refusal, 'No fingerprint found in SDP')
  const answer = fixture('business-dtls-answer')
  t.same(judgeSdp(readAudio(answer), dtls, 'answer'), { refusal: undefined, violations: [] })
  t.match(judgeSdp(readAudio(answer.replace(/a=ice-pwd.*\r\n/, '')), dtls, 'answer').refusal, /ICE/)
  for (const setup of ['passive', 'actpass', 'holdconn']) {
    const changed = readAudio(answer.replace('setup:active', `setup:${setup}`))
    t.match(judgeSdp(changed, dtls, 'answer').violations, [/starts no handshake/])
  }
  t.match(judgeSdp(readAudio(answer), dtls, 'offer').violations, [/wants actpass/])
})
