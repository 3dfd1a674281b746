import t from 'tap'
import { labTrunk, openLab, refusal } from '../../support/anchored-lab.ts'
import { FINGERPRINT } from '../../support/fake-anchor.ts'
import { editedSdp, sdpFixture, sdpLines, sdpVersion } from '../../support/sdp-fixtures.ts'

const WHATSAPP_OPUS =
  'maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1'

t.test('a plain PBX is offered what passes through, then what can be converted', async (t) => {
  const { session, call } = openLab()
  const sdp = await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.match(sdp, /^v=0\r\no=- \d+ 1 IN IP4 10\.0\.0\.5\r\ns=-\r\nt=0 0\r\n/)
  t.strictSame(sdpLines(sdp).slice(4), [
    'm=audio 30000 RTP/AVP 111 8 0 101',
    'c=IN IP4 10.0.0.5',
    'a=sendrecv',
    'a=rtpmap:111 opus/48000/2',
    `a=fmtp:111 ${WHATSAPP_OPUS}`,
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=maxptime:20',
    'a=ptime:20',
  ])
  const { shape, peer } = call.last('offer')
  t.match(shape, { keying: 'none', suites: [], rtcpMux: false, external: false })
  t.match(peer, { address: '198.51.100.130', port: 3480 }, 'the anchor knows WhatsApp’s side')
})

t.test('WhatsApp is answered in kind with SDES, once the PBX has answered', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.equal(session.agreed, undefined)
  const sdp = await session.answer('pbx', sdpFixture('freeswitch-answer'))
  t.strictSame(call.story, ['offer pbx', 'accept pbx', 'answer whatsapp'])
  t.strictSame(sdpLines(sdp).slice(2), [
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    'm=audio 30002 RTP/SAVP 111 126',
    'c=IN IP4 203.0.113.10',
    'a=mid:audio',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:OURS30002',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 useinbandfec=1;maxplaybackrate=16000;maxaveragebitrate=20000',
    'a=rtpmap:126 telephone-event/8000',
    'a=maxptime:20',
    'a=ptime:20',
    'a=ssrc:31002 cname:causeway',
  ])
  t.match(call.last('accept').media, {
    audio: { name: 'opus', payloadType: 111 },
    event: { payloadType: 101 },
    ptime: 20,
    direction: 'sendrecv',
  })
  t.match(call.last('accept').remote, { rtcp: { port: 24791 } })
  t.match(call.last('answer').media, { audio: { payloadType: 111 }, event: { payloadType: 126 } })
  t.strictSame(session.agreed, {
    codec: { whatsapp: 'opus', pbx: 'opus' },
    srtp: { whatsapp: 'AES_CM_128_HMAC_SHA1_80', pbx: 'none' },
  })
})

t.test('WhatsApp’s DTLS offer is answered active, with ICE', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-dtls-offer'))
  const sdp = await session.answer('pbx', sdpFixture('asterisk-answer'))
  t.strictSame(
    sdpLines(sdp).filter((line) =>
      /^(m=|a=(ice|candidate|setup|finger|group|mid|rtcp))/.test(line),
    ),
    [
      'a=group:BUNDLE audio',
      'm=audio 30002 UDP/TLS/RTP/SAVPF 111 126',
      'a=candidate:1 1 udp 2130706431 203.0.113.10 30002 typ host',
      'a=ice-ufrag:uf30002',
      'a=ice-pwd:ourpasswordisoneoflength',
      `a=fingerprint:sha-256 ${FINGERPRINT}`,
      'a=setup:active',
      'a=mid:audio',
      'a=rtcp-mux',
    ],
  )
  t.match(call.last('answer').remote, { ice: { lite: true }, dtls: { setup: 'actpass' } })
  t.strictSame(session.agreed, {
    codec: { whatsapp: 'opus', pbx: 'PCMA' },
    srtp: { whatsapp: 'DTLS-SRTP', pbx: 'none' },
  })
})

t.test('a trunk with SDES is offered several suites, one with DTLS a WebRTC line', async (t) => {
  const sdes = openLab({ srtp: 'sdes' })
  const offer = await sdes.session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.match(offer, /^m=audio 30000 RTP\/SAVP 111 8 0 101\r$/m)
  t.strictSame(
    sdpLines(offer).filter((line) => line.startsWith('a=crypto')),
    [
      'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:OURS30000',
      'a=crypto:2 AES_CM_128_HMAC_SHA1_32 inline:OURS30000',
      'a=crypto:3 AES_256_CM_HMAC_SHA1_80 inline:OURS30000',
      'a=crypto:4 AES_256_CM_HMAC_SHA1_32 inline:OURS30000',
      'a=crypto:5 AEAD_AES_128_GCM inline:OURS30000',
      'a=crypto:6 AEAD_AES_256_GCM inline:OURS30000',
    ],
  )
  const answer = editedSdp(
    'pbx-sdes-answer',
    ['crypto:1 AES_CM', 'crypto:3 AES_256_CM'],
    ['_128_', '_'],
  )
  await sdes.session.answer('pbx', answer)
  t.equal(sdes.session.agreed?.srtp.pbx, 'AES_256_CM_HMAC_SHA1_80')

  const dtls = openLab({ srtp: 'dtls' })
  const webrtc = await dtls.session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  for (const line of [
    /^a=group:BUNDLE audio\r$/m,
    /^m=audio 30000 UDP\/TLS\/RTP\/SAVPF 111 8 0 101\r$/m,
    /^a=setup:actpass\r$/m,
    /^a=candidate:/m,
    /^a=rtcp-mux\r$/m,
  ]) {
    t.match(webrtc, line)
  }
  t.notMatch(webrtc, /a=crypto/)
  await dtls.session.answer('pbx', sdpFixture('webrtc-answer'))
  t.equal(dtls.session.agreed?.srtp.pbx, 'DTLS-SRTP')
})

t.test('a DTLS answer that names no role of its own leaves us the active one', async (t) => {
  for (const [setup, role] of [
    ['active', 'active'],
    ['passive', 'passive'],
    ['actpass', 'passive'],
  ] as const) {
    const { session, call } = openLab({ srtp: 'dtls' })
    await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
    await session.answer(
      'pbx',
      sdpFixture('webrtc-answer').replace('setup:active', `setup:${setup}`),
    )
    t.equal(call.last('accept').remote?.dtls?.setup, role, setup)
  }
})

t.test('G.711 passes through when WhatsApp offers it and the PBX takes it', async (t) => {
  const { session } = openLab()
  const offer = editedSdp('whatsapp-sdes-offer', ['111 126', '111 8 126'])
  await session.offer('whatsapp', offer)
  const sdp = await session.answer('pbx', sdpFixture('asterisk-answer'))
  t.match(sdp, /^m=audio 30002 RTP\/SAVP 8 126\r$/m)
  t.notMatch(sdp, /maxptime/, 'G.711 is repacked')
  t.strictSame(session.agreed?.codec, { whatsapp: 'PCMA', pbx: 'PCMA' })
})

t.test('further formats the PBX may send are named to the anchor', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  await session.answer('pbx', editedSdp('asterisk-answer', ['RTP/AVP 8 101', 'RTP/AVP 8 0 101']))
  t.match(call.last('accept').media?.accepts, [{ name: 'PCMU', payloadType: 0 }])
  t.equal(call.last('accept').media?.accepts.length, 1)
})

t.test('an answer that renumbers Opus is sent to by its number, and heard by ours', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const sdp = sdpFixture('freeswitch-answer').replaceAll('111', '96')
  await session.answer('pbx', sdp)
  t.match(call.last('accept').media, {
    audio: { payloadType: 96 },
    accepts: [{ payloadType: 111 }],
  })
})

t.test('keypresses as INFO: the PBX leg has no telephone-event, WhatsApp’s keeps it', async (t) => {
  const { session, call } = openLab({ dtmf: 'info' })
  const offer = await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.notMatch(offer, /telephone-event/)
  const answer = await session.answer('pbx', sdpFixture('freeswitch-answer'))
  t.match(answer, /^a=rtpmap:126 telephone-event\/8000\r$/m)
  t.equal(call.last('accept').media?.event, undefined)
})

t.test('a PBX without telephone-event has none', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  await session.answer('pbx', editedSdp('asterisk-answer', ['8 101', '8']))
  t.equal(call.last('accept').media?.event, undefined)
  t.match(call.last('answer').media?.event, { payloadType: 126 })
})

t.test('early answers stay with the PBX leg unless the number has early media', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.equal(await session.early(sdpFixture('asterisk-answer')), undefined)
  t.equal(session.agreed, undefined)
  await session.answer('pbx', sdpFixture('freeswitch-answer'))
  t.strictSame(call.story, ['offer pbx', 'accept pbx', 'accept pbx', 'answer whatsapp'])
  t.equal(session.agreed?.codec.pbx, 'opus', 'the final answer changed the codec')
})

t.test('early media: WhatsApp is answered once, whatever the PBX changes after', async (t) => {
  const { session, call } = openLab({ earlyMedia: true })
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  const early = await session.early(sdpFixture('asterisk-answer'))
  t.match(early, /^m=audio 30002 RTP\/SAVP 111 126\r$/m)
  t.equal(await session.early(sdpFixture('freeswitch-answer')), early)
  t.equal(await session.answer('pbx', sdpFixture('freeswitch-answer')), early)
  t.equal(call.story.filter((one) => one === 'answer whatsapp').length, 1)
  t.equal(
    call.story.filter((one) => one === 'accept pbx').length,
    2,
    'the same again changes nothing',
  )
})

t.test('an announcement: WhatsApp is answered before any PBX, and keeps that answer', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', editedSdp('whatsapp-sdes-offer', ['111 126', '8 111 126']))
  const alone = await session.answerAlone()
  t.match(alone, /^m=audio 30002 RTP\/SAVP 111 126\r$/m, 'Opus, whatever comes')
  await session.play('whatsapp', { file: '/srv/busy.wav', loop: true })
  t.match(call.last('play'), { leg: 'whatsapp', playback: { loop: true } })
  t.equal(session.agreed, undefined)
  t.equal(await session.answer('pbx', sdpFixture('asterisk-answer')), alone)
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMA' })
})

t.test('another trunk gets an offer of its own, in a session of its own', async (t) => {
  const { session, call } = openLab()
  const first = await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  await session.early(sdpFixture('asterisk-answer'))
  const second = await session.retarget(labTrunk({ srtp: 'sdes', codecs: ['PCMU'] }))
  t.match(second, /^m=audio 30002 RTP\/SAVP 0 101\r$/m)
  const id = (text: string) => /^o=- (\d+) /m.exec(text)?.[1]
  t.not(id(second), id(first))
  t.equal(sdpVersion(second), 1)
  t.strictSame(call.story, ['offer pbx', 'accept pbx', 'drop pbx', 'offer pbx'])
  await session.answer(
    'pbx',
    editedSdp('pbx-sdes-answer', ['111 126', '0 126'], [/a=rtpmap:111.*\r\n/, '']),
  )
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMU' })
})

t.test('a trunk that cannot be offered anything leaves the way to the next one', async (t) => {
  const { session } = openLab({ codecs: ['G722'] })
  const offer = sdpFixture('whatsapp-sdes-offer')
  t.equal(await refusal(session.offer('whatsapp', offer)), 'MEDIA_NO_COMMON_CODEC 488')
  t.match(await session.retarget(labTrunk()), /RTP\/AVP 111 8 0 101/)
})

const refusedOffers: [string, string, string][] = [
  ['without keys', editedSdp('whatsapp-sdes-offer', [/a=crypto.*\r\n/, '']), 'MEDIA_NO_SRTP 488'],
  [
    'with an unknown suite',
    editedSdp('whatsapp-sdes-offer', ['AES_CM_128_HMAC_SHA1_80', 'F8_128_HMAC_SHA1_80']),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'with DTLS but no ICE',
    editedSdp('whatsapp-dtls-offer', [/a=ice-pwd.*\r\n/, '']),
    'MEDIA_DTLS_WITHOUT_ICE 488',
  ],
  [
    'with DTLS but no fingerprint',
    editedSdp('whatsapp-dtls-offer', [/a=fingerprint.*\r\n/, '']),
    'MEDIA_SDP_INVALID 488',
  ],
  [
    'to 0.0.0.0',
    editedSdp('whatsapp-sdes-offer', ['198.51.100.130', '0.0.0.0']),
    'MEDIA_NO_ADDRESS 488',
  ],
  [
    'without a known codec',
    editedSdp('whatsapp-sdes-offer', ['opus', 'speex']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  ['that is no SDP', 'hello', 'MEDIA_SDP_INVALID 488'],
]

for (const [name, sdp, expected] of refusedOffers) {
  t.test(`an offer of WhatsApp is refused ${name}`, async (t) => {
    const { session, call } = openLab()
    t.equal(await refusal(session.offer('whatsapp', sdp)), expected)
    t.strictSame(call.story, [], 'the anchor was not asked')
  })
}

const refusedAnswers: [string, 'none' | 'sdes' | 'dtls', string, string][] = [
  ['SDES without keys', 'sdes', sdpFixture('asterisk-answer'), 'MEDIA_NO_SRTP 488'],
  [
    'SDES with another tag',
    'sdes',
    editedSdp('pbx-sdes-answer', ['crypto:1', 'crypto:9']),
    'MEDIA_SDES_MISMATCH 488',
  ],
  [
    'SDES with the suite of another tag',
    'sdes',
    editedSdp('pbx-sdes-answer', ['crypto:1', 'crypto:2']),
    'MEDIA_SDES_MISMATCH 488',
  ],
  [
    'SDES switched off',
    'sdes',
    editedSdp('pbx-sdes-answer', ['Gxwd', 'Gxwd UNENCRYPTED_SRTP']),
    'MEDIA_SDES_MISMATCH 488',
  ],
  ['DTLS without fingerprint', 'dtls', sdpFixture('asterisk-answer'), 'MEDIA_NO_SRTP 488'],
  [
    'DTLS without ICE',
    'dtls',
    editedSdp('webrtc-answer', [/a=ice-ufrag.*\r\n/, '']),
    'MEDIA_DTLS_WITHOUT_ICE 488',
  ],
  [
    'a codec not offered',
    'none',
    editedSdp('asterisk-answer', ['8 101', '9 101']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'Opus in 40 ms',
    'none',
    editedSdp('freeswitch-answer', ['a=ptime:20', 'a=ptime:40']),
    'MEDIA_PTIME 488',
  ],
  ['a refused stream', 'none', editedSdp('asterisk-answer', ['15824', '0']), 'MEDIA_NO_AUDIO 488'],
]

for (const [name, srtp, sdp, expected] of refusedAnswers) {
  t.test(`an answer of the PBX is refused: ${name}`, async (t) => {
    const { session, call } = openLab({ srtp })
    await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
    t.equal(await refusal(session.answer('pbx', sdp)), expected)
    t.strictSame(call.story, ['offer pbx'], 'WhatsApp was not answered')
    t.equal(session.agreed, undefined)
    t.match(await session.retarget(labTrunk()), /^m=audio/m, 'another trunk may be tried')
  })
}

t.test('G.711 in other packets than 20 ms is taken: it is repacked', async (t) => {
  for (const ptime of ['10', '30', '60']) {
    const { session } = openLab()
    await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
    await session.answer('pbx', editedSdp('asterisk-answer', ['a=ptime:20', `a=ptime:${ptime}`]))
    t.equal(session.agreed?.codec.pbx, 'PCMA')
  }
})
