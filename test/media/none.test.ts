import t from 'tap'
import { createNoneRelay } from '../../src/media/index.ts'
import { refusal } from '../support/anchored-lab.ts'
import { numberConfig, trunkConfig } from '../support/configs.ts'
import { FakeRandom } from '../support/fake-random.ts'
import { editedSdp, sdpFixture, sdpLines, sdpVersion } from '../support/sdp-fixtures.ts'

const PBX_KEY = 'PBXECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'
const WHATSAPP_KEY = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'

function open(codecs = ['opus', 'PCMA', 'PCMU'], additional: ('PCMA' | 'PCMU')[] = []) {
  const trunk = trunkConfig({ media: { srtp: 'sdes', codecs, dtmf: 'rfc4733' } })
  const number = numberConfig({ calling: { audio: { additional_codecs: additional } } })
  return createNoneRelay(new FakeRandom()).allocate({
    id: 'call',
    trunk,
    number,
    listener: () => {},
  })
}

t.test('user-initiated: the PBX gets one SDES audio line without WebRTC attributes', async (t) => {
  const session = open()
  const sdp = await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.strictSame(sdpLines(sdp).slice(4), [
    'm=audio 3480 RTP/SAVP 111 126',
    'c=IN IP4 198.51.100.130',
    'a=sendrecv',
    'a=rtcp-mux',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${WHATSAPP_KEY}`,
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1',
    'a=rtpmap:126 telephone-event/8000',
    'a=maxptime:20',
    'a=ptime:20',
  ])
})

t.test('user-initiated: WhatsApp gets the answer with mid, BUNDLE and one codec', async (t) => {
  const session = open()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const sdp = await session.answer('pbx', sdpFixture('pbx-sdes-answer'))
  t.match(sdpLines(sdp)[1], /^o=- \d+ 1 IN IP4 203\.0\.113\.20$/)
  t.strictSame(sdpLines(sdp).slice(2), [
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    'm=audio 15822 RTP/SAVP 111 126',
    'c=IN IP4 203.0.113.20',
    'a=mid:audio',
    'a=sendrecv',
    `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${PBX_KEY}`,
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 maxplaybackrate=16000;sprop-maxcapturerate=16000;maxaveragebitrate=20000;useinbandfec=1',
    'a=rtpmap:126 telephone-event/8000',
    'a=fmtp:126 0-16',
    'a=maxptime:20',
    'a=ptime:20',
  ])
  t.strictSame(session.agreed, {
    codec: { whatsapp: 'opus', pbx: 'opus' },
    srtp: { whatsapp: 'AES_CM_128_HMAC_SHA1_80', pbx: 'AES_CM_128_HMAC_SHA1_80' },
  })
})

t.test(
  'business-initiated: WhatsApp is offered one crypto line and no codec it has not enabled',
  async (t) => {
    const session = open()
    const sdp = await session.offer('pbx', sdpFixture('pbx-sdes-offer'))
    t.match(sdp, /^m=audio 19534 RTP\/SAVP 107 101\r$/m)
    t.notMatch(sdp, /PCM/)
    const answer = await session.answer('whatsapp', sdpFixture('whatsapp-sdes-answer'))
    t.match(answer, /^m=audio 3480 RTP\/SAVP 107 101\r$/m)
    t.match(
      answer,
      new RegExp(
        `^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${WHATSAPP_KEY.replaceAll('+', '\\+')}\r$`,
        'm',
      ),
    )
    t.notMatch(answer, /BUNDLE|msid|ssrc|a=mid/)
  },
)

t.test('business-initiated: enabled G.711 is offered in the order of the PBX', async (t) => {
  const sdp = await open(['opus', 'PCMA', 'PCMU'], ['PCMA', 'PCMU']).offer(
    'pbx',
    sdpFixture('pbx-sdes-offer'),
  )
  t.match(sdp, /^m=audio 19534 RTP\/SAVP 107 0 8 101\r$/m)
})

t.test(
  'business-initiated: several suites become the one WhatsApp uses, and the tag comes back',
  async (t) => {
    const session = open()
    const sdp = await session.offer('pbx', sdpFixture('pbx-several-suites-offer'))
    t.strictSame(
      sdpLines(sdp).filter((line) => line.startsWith('a=crypto')),
      ['a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:PBX3CAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd'],
    )
    t.match(sdp, /^m=audio 19534 RTP\/SAVP 96 102\r$/m, 'telephone-event/48000 is left out')
    t.equal(sdpLines(sdp).filter((line) => line.startsWith('m=')).length, 1)
    const whatsapp = sdpFixture('whatsapp-sdes-answer')
      .replaceAll('107', '96')
      .replaceAll('101', '102')
    const answer = await session.answer('whatsapp', whatsapp)
    t.strictSame(
      sdpLines(answer).filter((line) => /^(m=|a=crypto)/.test(line)),
      [
        'm=audio 3480 RTP/SAVP 96 102',
        `a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${WHATSAPP_KEY}`,
        'm=video 0 RTP/SAVP 97',
        'm=video 0 RTP/SAVP 98',
      ],
    )
  },
)

t.test(
  'business-initiated: RTP/AVP with a=crypto is taken as SDES and answered in kind',
  async (t) => {
    const session = open()
    const sdp = await session.offer('pbx', sdpFixture('pbx-optional-encryption-offer'))
    t.match(sdp, /^m=audio 20100 RTP\/SAVP 107 101\r$/m)
    t.match(sdp, /^a=maxptime:20\r$/m)
    const answer = await session.answer('whatsapp', sdpFixture('whatsapp-sdes-answer'))
    t.match(answer, /^m=audio 3480 RTP\/AVP 107 101\r$/m)
  },
)

const refusedOffers: [string, 'whatsapp' | 'pbx', string, string][] = [
  [
    'WhatsApp offers DTLS',
    'whatsapp',
    sdpFixture('whatsapp-dtls-offer'),
    'MEDIA_DTLS_WHATSAPP 488',
  ],
  [
    'PBX offers no keys',
    'pbx',
    editedSdp('pbx-sdes-offer', [/a=crypto.*\r\n/, '']),
    'MEDIA_NO_SRTP 488',
  ],
  ['PBX offers DTLS', 'pbx', sdpFixture('whatsapp-dtls-offer'), 'MEDIA_DTLS_PBX 488'],
  [
    'PBX offers an MKI',
    'pbx',
    editedSdp('pbx-sdes-offer', ['Gxwd', 'Gxwd|2^20|1:4']),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'PBX offers an unknown suite',
    'pbx',
    editedSdp('pbx-sdes-offer', ['AES_CM_128_HMAC_SHA1_80', 'F8_128_HMAC_SHA1_80']),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'PBX switches encryption off',
    'pbx',
    editedSdp('pbx-sdes-offer', ['Gxwd', 'Gxwd UNENCRYPTED_SRTP']),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'PBX offers G.711 that is not enabled',
    'pbx',
    sdpFixture('pbx-g711-offer'),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'PBX offers 10 ms at most',
    'pbx',
    editedSdp('pbx-sdes-offer', ['maxptime:20', 'maxptime:10']),
    'MEDIA_PTIME 488',
  ],
  [
    'PBX offers no audio',
    'pbx',
    editedSdp('pbx-sdes-offer', ['audio 19534', 'audio 0']),
    'MEDIA_NO_AUDIO 488',
  ],
  [
    'PBX offers 0.0.0.0',
    'pbx',
    editedSdp('pbx-sdes-offer', ['c=IN IP4 203.0.113.20', 'c=IN IP4 0.0.0.0']),
    'MEDIA_NO_ADDRESS 488',
  ],
  ['text that is no SDP', 'pbx', 'hello', 'MEDIA_SDP_INVALID 488'],
  ['an empty body', 'pbx', '', 'MEDIA_SDP_INVALID 488'],
]

for (const [name, from, sdp, expected] of refusedOffers) {
  t.test(`offer refused: ${name}`, async (t) => {
    t.equal(await refusal(open().offer(from, sdp)), expected)
  })
}

const refusedAnswers: [string, string, string][] = [
  ['without keys', editedSdp('pbx-sdes-answer', [/a=crypto.*\r\n/, '']), 'MEDIA_NO_SRTP 488'],
  [
    'with another tag',
    editedSdp('pbx-sdes-answer', ['crypto:1', 'crypto:2']),
    'MEDIA_SDES_MISMATCH 488',
  ],
  [
    'with another suite',
    editedSdp('pbx-sdes-answer', ['SHA1_80', 'SHA1_32']),
    'MEDIA_SDES_MISMATCH 488',
  ],
  [
    'with a codec that was not offered',
    editedSdp('pbx-sdes-answer', ['opus/48000/2', 'G722/8000']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'that refuses the stream',
    editedSdp('pbx-sdes-answer', ['audio 15822', 'audio 0']),
    'MEDIA_NO_AUDIO 488',
  ],
]

for (const [name, sdp, expected] of refusedAnswers) {
  t.test(`PBX answer refused: ${name}`, async (t) => {
    const session = open()
    await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
    t.equal(await refusal(session.answer('pbx', sdp)), expected)
  })
}

t.test('a WhatsApp answer that does not fit is WhatsApp’s fault', async (t) => {
  for (const sdp of [
    editedSdp('whatsapp-sdes-answer', [/a=crypto.*\r\n/, '']),
    editedSdp('whatsapp-sdes-answer', ['opus', 'speex']),
    sdpFixture('whatsapp-dtls-offer'),
    'nothing',
  ]) {
    const session = open()
    await session.offer('pbx', sdpFixture('pbx-sdes-offer'))
    t.equal(await refusal(session.answer('whatsapp', sdp)), 'MEDIA_ANSWER_WHATSAPP 502')
  }
})

async function established() {
  const session = open()
  await session.offer('pbx', sdpFixture('pbx-sdes-offer'))
  return { session, answer: await session.answer('whatsapp', sdpFixture('whatsapp-sdes-answer')) }
}

const holds: [string, string, string][] = [
  ['sendonly', editedSdp('pbx-sdes-offer', ['sendrecv', 'sendonly']), 'recvonly'],
  ['inactive', editedSdp('pbx-sdes-offer', ['sendrecv', 'inactive']), 'inactive'],
  ['recvonly', editedSdp('pbx-sdes-offer', ['sendrecv', 'recvonly']), 'sendonly'],
  [
    '0.0.0.0',
    editedSdp('pbx-sdes-offer', ['c=IN IP4 203.0.113.20', 'c=IN IP4 0.0.0.0']),
    'recvonly',
  ],
  ['an unchanged refresh', sdpFixture('pbx-sdes-offer'), 'sendrecv'],
]

for (const [name, sdp, direction] of holds) {
  t.test(`a PBX re-INVITE with ${name} is answered ${direction}`, async (t) => {
    const { session, answer } = await established()
    const out = await session.reoffer(sdp)
    t.match(out, new RegExp(`^a=${direction}\r$`, 'm'))
    t.equal(sdpVersion(out), sdpVersion(answer) + (direction === 'sendrecv' ? 0 : 1))
  })
}

t.test('a refresh without SDP gets our description again', async (t) => {
  const { session, answer } = await established()
  t.equal(await session.reoffer(undefined), answer)
})

const moved: [string, string][] = [
  ['another port', editedSdp('pbx-sdes-offer', ['19534', '19600'])],
  [
    'another address',
    editedSdp('pbx-sdes-offer', ['c=IN IP4 203.0.113.20', 'c=IN IP4 203.0.113.21']),
  ],
  ['another key', editedSdp('pbx-sdes-offer', ['PBXE', 'PBXF'])],
  ['without the codec in use', editedSdp('pbx-sdes-offer', ['107 0 8 101', '0 8 101'])],
]

for (const [name, sdp] of moved) {
  t.test(`a PBX re-INVITE with ${name} is refused and the session stays`, async (t) => {
    const { session, answer } = await established()
    t.equal(await refusal(session.reoffer(sdp)), 'MEDIA_RENEGOTIATION 488')
    t.equal(await session.reoffer(undefined), answer)
  })
}

t.test('offers and answers out of turn are refused', async (t) => {
  t.equal(await refusal(open().answer('pbx', sdpFixture('pbx-sdes-answer'))), 'MEDIA_STATE 491')
  t.equal(await refusal(open().reoffer(undefined)), 'MEDIA_STATE 491')
  const { session } = await established()
  await session.release()
  t.equal(await refusal(session.reoffer(undefined)), 'MEDIA_STATE 491')
})

t.test('another trunk gets an offer in a session of its own', async (t) => {
  const session = open()
  const first = await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.equal(await session.early(sdpFixture('pbx-sdes-answer')), undefined)
  const second = await session.retarget(trunkConfig())
  t.strictSame(sdpLines(second).slice(2), sdpLines(first).slice(2))
  t.not(sdpLines(second)[1], sdpLines(first)[1])
  t.match(await session.answer('pbx', sdpFixture('pbx-sdes-answer')), /^m=audio 15822/m)
})

t.test('the answer to a refresh offer must keep what was agreed', async (t) => {
  const { session } = await established()
  await session.reoffer(undefined)
  t.equal(await refusal(session.acknowledge(sdpFixture('pbx-sdes-offer'))), 'accepted')
  const moved = editedSdp('pbx-sdes-offer', ['19534', '19600'])
  t.equal(await refusal(session.acknowledge(moved)), 'MEDIA_RENEGOTIATION 488')
})

t.test('what needs an anchor is refused by its code; the rest does nothing', async (t) => {
  t.equal(await refusal(open().offer('pbx', undefined)), 'MEDIA_NO_OFFER 488')
  const { session } = await established()
  t.equal(await refusal(session.replace(undefined)), 'MEDIA_NEEDS_RELAY 488')
  t.equal(await refusal(session.answerAlone()), 'MEDIA_NEEDS_RELAY 488')
  session.start()
  await session.play('pbx', undefined)
  t.equal(await session.query(), undefined)
  t.equal(await session.release(), undefined)
})

t.test('calls are counted until they are released, once', async (t) => {
  const relay = createNoneRelay(new FakeRandom())
  const call = { id: 'call', trunk: trunkConfig(), number: numberConfig(), listener: () => {} }
  const session = relay.allocate(call)
  relay.allocate(call)
  t.equal(relay.status().calls, 2)
  await session.release()
  await session.release()
  t.equal(relay.status().calls, 1)
  t.equal(relay.kind, 'none')
})
