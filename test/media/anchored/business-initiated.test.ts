import t from 'tap'
import { type LabCall, openLab, refusal, whatsAppAnswer } from '../../support/anchored-lab.ts'
import { editedSdp, sdpFixture, sdpLines } from '../../support/sdp-fixtures.ts'

t.test('WhatsApp is offered our own description: SDES, one line, Opus, events', async (t) => {
  const { session, call } = openLab()
  const sdp = await session.offer('pbx', sdpFixture('asterisk-offer'))
  t.strictSame(sdpLines(sdp).slice(4), [
    'm=audio 30000 RTP/SAVP 111 126',
    'c=IN IP4 203.0.113.10',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:OURS30000',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 useinbandfec=1;maxplaybackrate=16000;maxaveragebitrate=20000',
    'a=rtpmap:126 telephone-event/8000',
    'a=maxptime:20',
    'a=ptime:20',
    'a=ssrc:31000 cname:causeway',
  ])
  const { shape, peer } = call.last('offer')
  t.match(shape, { keying: 'sdes', external: true, cryptoTag: undefined })
  t.match(peer, { address: '10.0.0.9', port: 15822 })
})

t.test('the PBX is answered in its own numbers after WhatsApp', async (t) => {
  const { session, call } = openLab()
  await session.offer('pbx', sdpFixture('asterisk-offer'))
  const sdp = await session.answer('whatsapp', whatsAppAnswer(111, 126))
  t.strictSame(call.story, ['offer whatsapp', 'accept whatsapp', 'answer pbx'])
  t.strictSame(sdpLines(sdp).slice(4), [
    'm=audio 30002 RTP/AVP 107 101',
    'c=IN IP4 10.0.0.5',
    'a=sendrecv',
    'a=rtpmap:107 opus/48000/2',
    'a=fmtp:107 maxaveragebitrate=20000;maxplaybackrate=16000;minptime=20;sprop-maxcapturerate=16000;useinbandfec=1',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=maxptime:20',
    'a=ptime:20',
  ])
  t.match(call.last('answer').media, {
    audio: { payloadType: 107 },
    event: { payloadType: 101 },
    accepts: [],
  })
  t.strictSame(session.agreed, {
    codec: { whatsapp: 'opus', pbx: 'opus' },
    srtp: { whatsapp: 'AES_CM_128_HMAC_SHA1_80', pbx: 'none' },
  })
})

t.test('a number with DTLS is offered actpass, ICE and BUNDLE', async (t) => {
  const { session, call } = openLab({ whatsapp: 'DTLS' })
  const sdp = await session.offer('pbx', sdpFixture('asterisk-offer'))
  for (const line of [
    /^a=group:BUNDLE audio\r$/m,
    /^m=audio 30000 UDP\/TLS\/RTP\/SAVPF 111 126\r$/m,
    /^a=candidate:1 1 udp /m,
    /^a=setup:actpass\r$/m,
    /^a=mid:audio\r$/m,
  ]) {
    t.match(sdp, line)
  }
  await session.answer('whatsapp', sdpFixture('whatsapp-dtls-answer'))
  t.equal(session.agreed?.srtp.whatsapp, 'DTLS-SRTP')
  t.match(call.last('accept').remote, {
    dtls: { setup: 'passive' },
    ice: { lite: true },
    crypto: [],
  })
})

const codecRows: [string, LabCall, string, string][] = [
  ['nothing enabled', {}, '107 8 0 101', '111 126'],
  [
    'G.711 enabled: Opus stays first',
    { additional: ['PCMA', 'PCMU'] },
    '107 8 0 101',
    '111 8 0 126',
  ],
  ['G.711 alone, enabled: it goes first', { additional: ['PCMA', 'PCMU'] }, '8 101', '8 111 0 126'],
  ['G.711 alone, not enabled: converted', {}, '8 0 101', '111 126'],
  [
    'enabled but not of the trunk',
    { additional: ['PCMU'], codecs: ['opus', 'PCMA'] },
    '107 8 0 101',
    '111 126',
  ],
  [
    'an anchor that converts nothing',
    { additional: ['PCMA'], abilities: { transcodes: [] } },
    '8 101',
    '8 126',
  ],
  ['Opus not of the trunk', { additional: ['PCMA'], codecs: ['PCMA'] }, '107 8 0 101', '8 111 126'],
]

for (const [name, change, offered, expected] of codecRows) {
  t.test(`what WhatsApp is offered: ${name}`, async (t) => {
    const sdp = sdpFixture('asterisk-offer').replace('107 8 0 101', offered)
    const out = await openLab(change).session.offer('pbx', sdp)
    t.match(out, new RegExp(`^m=audio 30000 RTP/SAVP ${expected}\r$`, 'm'))
  })
}

t.test('an anchor that cannot renumber gives WhatsApp the PBX’s numbers', async (t) => {
  const { session } = openLab({ abilities: { renumbers: false } })
  const sdp = await session.offer('pbx', sdpFixture('asterisk-offer'))
  t.match(sdp, /^m=audio 30000 RTP\/SAVP 107 101\r$/m)
  const answer = await session.answer('whatsapp', sdpFixture('whatsapp-sdes-answer'))
  t.match(answer, /^m=audio 30002 RTP\/AVP 107 101\r$/m)
})

t.test(
  'the PBX gets WhatsApp’s codec where both have it, else one that can be converted',
  async (t) => {
    const { session } = openLab({ additional: ['PCMA'] })
    await session.offer('pbx', sdpFixture('asterisk-offer'))
    const g711 = sdpFixture('whatsapp-sdes-answer')
      .replace('107 101', '8 126')
      .replaceAll(':101 ', ':126 ')
    const sdp = await session.answer('whatsapp', g711)
    t.match(sdp, /^m=audio 30002 RTP\/AVP 8 101\r$/m)
    t.strictSame(session.agreed?.codec, { whatsapp: 'PCMA', pbx: 'PCMA' })
  },
)

interface Taken {
  srtp: 'none' | 'sdes' | 'dtls'
  profile: string
  protection: string
  line?: RegExp
}

const takenOffers: [string, string, Taken][] = [
  [
    'Asterisk plain',
    sdpFixture('asterisk-offer'),
    { srtp: 'none', profile: 'RTP/AVP', protection: 'none' },
  ],
  [
    'Asterisk, optional encryption, trunk plain',
    sdpFixture('pbx-optional-encryption-offer'),
    { srtp: 'none', profile: 'RTP/AVP', protection: 'none' },
  ],
  [
    'Asterisk, optional encryption, trunk SDES',
    sdpFixture('pbx-optional-encryption-offer'),
    {
      srtp: 'sdes',
      profile: 'RTP/AVP',
      protection: 'AES_CM_128_HMAC_SHA1_80',
      line: /^a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:OURS30002\r$/m,
    },
  ],
  [
    'FreeSWITCH, several suites: ours by preference, with its tag',
    sdpFixture('freeswitch-offer'),
    {
      srtp: 'none',
      profile: 'RTP/SAVP',
      protection: 'AES_CM_128_HMAC_SHA1_80',
      line: /^a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:OURS30002\r$/m,
    },
  ],
  [
    'baresip with lifetime and MKI',
    sdpFixture('baresip-offer'),
    {
      srtp: 'sdes',
      profile: 'RTP/SAVP',
      protection: 'AES_CM_128_HMAC_SHA1_80',
      line: /^a=crypto:2 AES_CM_128_HMAC_SHA1_80 inline:OURS30002\r$/m,
    },
  ],
  [
    'SDES with feedback profile',
    editedSdp('freeswitch-offer', ['RTP/SAVP', 'RTP/SAVPF']),
    { srtp: 'none', profile: 'RTP/SAVPF', protection: 'AES_CM_128_HMAC_SHA1_80' },
  ],
  [
    'Asterisk webrtc=yes',
    sdpFixture('asterisk-webrtc-offer'),
    {
      srtp: 'dtls',
      profile: 'UDP/TLS/RTP/SAVPF',
      protection: 'DTLS-SRTP',
      line: /^a=setup:active\r$/m,
    },
  ],
  [
    'Chromium, whose c= is 0.0.0.0',
    sdpFixture('chromium-offer'),
    {
      srtp: 'none',
      profile: 'UDP/TLS/RTP/SAVPF',
      protection: 'DTLS-SRTP',
      line: /^a=sendrecv\r$/m,
    },
  ],
  [
    'DTLS where SDES is the least',
    sdpFixture('asterisk-webrtc-offer'),
    { srtp: 'sdes', profile: 'UDP/TLS/RTP/SAVPF', protection: 'DTLS-SRTP' },
  ],
  [
    'a call that begins on hold',
    editedSdp('asterisk-offer', ['c=IN IP4 10.0.0.9', 'c=IN IP4 0.0.0.0']),
    { srtp: 'none', profile: 'RTP/AVP', protection: 'none', line: /^a=recvonly\r$/m },
  ],
]

for (const [name, sdp, { srtp, profile, protection, line }] of takenOffers) {
  t.test(`an offer of the PBX is taken: ${name}`, async (t) => {
    const { session } = openLab({ srtp })
    await session.offer('pbx', sdp)
    const answer = await session.answer('whatsapp', whatsAppAnswer(111, 126))
    t.match(answer, new RegExp(`^m=audio 30002 ${profile} `, 'm'))
    t.equal(session.agreed?.srtp.pbx, protection)
    if (line) t.match(answer, line)
  })
}

t.test('the anchor sees only the keys that count', async (t) => {
  const seen = async (srtp: 'none' | 'sdes', sdp: string) => {
    const { session, call } = openLab({ srtp })
    await session.offer('pbx', sdp)
    await session.answer('whatsapp', whatsAppAnswer(111, 126))
    return call.last('answer').remote
  }
  t.strictSame(
    (await seen('sdes', sdpFixture('freeswitch-offer')))?.crypto.map((line) => line.tag),
    [3],
  )
  t.strictSame((await seen('none', sdpFixture('pbx-optional-encryption-offer')))?.crypto, [])
  // A PBX with ICE on a plain line does without when our answer has none (RFC 8839 §3.2.5).
  const plain = editedSdp('asterisk-webrtc-offer', ['UDP/TLS/RTP/SAVPF', 'RTP/AVP'])
  t.match(await seen('none', plain), { ice: undefined, dtls: undefined })
})

t.test('an offer’s mid, BUNDLE and m-lines are answered in their places', async (t) => {
  const { session } = openLab()
  await session.offer('pbx', `${sdpFixture('chromium-offer')}m=video 9 UDP/TLS/RTP/SAVPF 96\r\n`)
  const answer = await session.answer('whatsapp', whatsAppAnswer(111, 126))
  t.strictSame(
    sdpLines(answer).filter((line) => /^(m=|a=(mid|group|rtcp-mux))/.test(line)),
    [
      'a=group:BUNDLE 0',
      'm=audio 30002 UDP/TLS/RTP/SAVPF 111 126',
      'a=mid:0',
      'a=rtcp-mux',
      'm=video 0 UDP/TLS/RTP/SAVPF 96',
    ],
  )
})

const refused: [string, LabCall, string, string][] = [
  [
    'plain where SDES is the least',
    { srtp: 'sdes' },
    sdpFixture('asterisk-offer'),
    'MEDIA_NO_SRTP 488',
  ],
  [
    'SDES where DTLS is demanded',
    { srtp: 'dtls' },
    sdpFixture('freeswitch-offer'),
    'MEDIA_NO_SRTP 488',
  ],
  [
    'RTP/SAVP without keys',
    {},
    editedSdp('asterisk-offer', ['RTP/AVP', 'RTP/SAVP']),
    'MEDIA_NO_SRTP 488',
  ],
  [
    'RTP/SAVP with unknown suites alone',
    {},
    sdpFixture('freeswitch-offer').replace(/a=crypto:[234].*\r\n/g, ''),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'encryption switched off',
    { srtp: 'sdes' },
    editedSdp('pbx-sdes-offer', ['Gxwd', 'Gxwd UNENCRYPTED_SRTP']),
    'MEDIA_SDES_SUITE 488',
  ],
  [
    'DTLS without ICE',
    {},
    editedSdp('asterisk-webrtc-offer', [/a=ice-pwd.*\r\n/, '']),
    'MEDIA_DTLS_WITHOUT_ICE 488',
  ],
  [
    'DTLS without fingerprint',
    {},
    editedSdp('asterisk-webrtc-offer', [/a=fingerprint.*\r\n/, '']),
    'MEDIA_SDP_INVALID 488',
  ],
  [
    'G.722 at an anchor that cannot convert it',
    { codecs: ['opus', 'G722'] },
    editedSdp('asterisk-offer', ['107 8 0 101', '9 101']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'no codec of the trunk',
    { codecs: ['PCMU'] },
    editedSdp('asterisk-offer', ['107 8 0 101', '107 8 101']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'Opus of 10 ms at most',
    {},
    editedSdp('asterisk-offer', ['107 8 0 101', '107 101'], ['maxptime:60', 'maxptime:10']),
    'MEDIA_PTIME 488',
  ],
  [
    'Opus of 60 ms',
    {},
    editedSdp('asterisk-offer', ['107 8 0 101', '107 101'], ['a=ptime:20', 'a=ptime:60']),
    'MEDIA_PTIME 488',
  ],
  ['no audio', {}, editedSdp('asterisk-offer', ['15822', '0']), 'MEDIA_NO_AUDIO 488'],
  ['text that is no SDP', {}, 'hello', 'MEDIA_SDP_INVALID 488'],
]

for (const [name, change, sdp, expected] of refused) {
  t.test(`an offer of the PBX is refused: ${name}`, async (t) => {
    const { session, call } = openLab(change)
    t.equal(await refusal(session.offer('pbx', sdp)), expected)
    t.strictSame(call.story, [])
  })
}

t.test('a PBX with Opus in 60 ms and G.711 gets G.711', async (t) => {
  const { session } = openLab()
  await session.offer('pbx', editedSdp('asterisk-offer', ['a=ptime:20', 'a=ptime:60']))
  const answer = await session.answer('whatsapp', whatsAppAnswer(111, 126))
  t.match(answer, /^m=audio 30002 RTP\/AVP 8 101\r$/m)
})

t.test('DTLS without ICE is taken by an anchor that can', async (t) => {
  const { session } = openLab({ abilities: { dtlsWithoutIce: true } })
  await session.offer('pbx', editedSdp('asterisk-webrtc-offer', [/a=ice-pwd.*\r\n/, '']))
  t.pass('taken')
})

t.test('the DTLS role in an answer follows the offer', async (t) => {
  for (const [setup, ours] of [
    ['actpass', 'active'],
    ['passive', 'active'],
    ['active', 'passive'],
  ] as const) {
    const { session } = openLab()
    const offer = sdpFixture('asterisk-webrtc-offer').replace('setup:actpass', `setup:${setup}`)
    await session.offer('pbx', offer)
    const answer = await session.answer('whatsapp', whatsAppAnswer(111, 126))
    t.match(answer, new RegExp(`^a=setup:${ours}\r$`, 'm'), setup)
  }
})

t.test('an answer of WhatsApp that does not fit is WhatsApp’s fault', async (t) => {
  const answers: [string, string][] = [
    ['no keys', editedSdp('whatsapp-sdes-answer', [/a=crypto.*\r\n/, ''])],
    ['another tag', editedSdp('whatsapp-sdes-answer', ['crypto:1', 'crypto:2'])],
    ['another codec', editedSdp('whatsapp-sdes-answer', ['opus', 'speex'])],
    ['DTLS', sdpFixture('whatsapp-dtls-answer')],
    ['a refused stream', editedSdp('whatsapp-sdes-answer', ['audio 3480', 'audio 0'])],
    ['no address', editedSdp('whatsapp-sdes-answer', ['198.51.100.130', '0.0.0.0'])],
    ['no SDP', 'nothing'],
  ]
  for (const [name, sdp] of answers) {
    const { session, call } = openLab()
    await session.offer('pbx', sdpFixture('asterisk-offer'))
    t.equal(await refusal(session.answer('whatsapp', sdp)), 'MEDIA_ANSWER_WHATSAPP 502', name)
    t.strictSame(call.story, ['offer whatsapp'], name)
  }
})

t.test('a late offer: ours to WhatsApp, then ours to the PBX, its answer in the ACK', async (t) => {
  const { session, call } = openLab({ codecs: ['PCMA', 'opus'], additional: ['PCMA'] })
  const offer = await session.offer('pbx', undefined)
  t.match(offer, /^m=audio 30000 RTP\/SAVP 111 8 126\r$/m)
  t.equal(call.last('offer').peer, undefined)
  const toPbx = await session.answer('whatsapp', whatsAppAnswer(111, 126))
  t.match(toPbx, /^m=audio 30002 RTP\/AVP 111 8 101\r$/m)
  t.equal(session.agreed, undefined, 'not before the ACK')
  await session.acknowledge(sdpFixture('asterisk-answer'))
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMA' })
  t.equal(await refusal(session.acknowledge(sdpFixture('asterisk-answer'))), 'MEDIA_STATE 491')
})
