import t from 'tap'
import { CausewayError } from '../../../src/shared/errors/index.ts'
import { establishedLab, openLab, refusal } from '../../support/anchored-lab.ts'
import { editedSdp, sdpFixture, sdpLines, sdpVersion } from '../../support/sdp-fixtures.ts'

const holds: [string, string, string][] = [
  ['sendonly', editedSdp('asterisk-offer', ['sendrecv', 'sendonly']), 'recvonly'],
  ['recvonly', editedSdp('asterisk-offer', ['sendrecv', 'recvonly']), 'sendonly'],
  ['inactive', editedSdp('asterisk-offer', ['sendrecv', 'inactive']), 'inactive'],
  ['0.0.0.0', editedSdp('asterisk-offer', ['c=IN IP4 10.0.0.9', 'c=IN IP4 0.0.0.0']), 'recvonly'],
  [
    '0.0.0.0 and recvonly',
    editedSdp(
      'asterisk-offer',
      ['c=IN IP4 10.0.0.9', 'c=IN IP4 0.0.0.0'],
      ['sendrecv', 'recvonly'],
    ),
    'inactive',
  ],
]

for (const [name, sdp, direction] of holds) {
  t.test(`hold by ${name} and resume, on the PBX leg alone`, async (t) => {
    const { session, call, answer } = await establishedLab()
    const held = await session.reoffer(sdp)
    t.match(held, new RegExp(`^a=${direction}\r$`, 'm'))
    t.equal(sdpVersion(held), sdpVersion(answer) + 1)
    t.match(call.last('answer'), { leg: 'pbx', media: { direction } })
    const resumed = await session.reoffer(sdpFixture('asterisk-offer'))
    t.match(resumed, /^a=sendrecv\r$/m)
    t.equal(sdpVersion(resumed), sdpVersion(held) + 1)
    t.notOk(
      call.story.slice(3).some((one) => one.includes('whatsapp')),
      'WhatsApp never hears of it',
    )
  })
}

t.test(
  'a refresh that repeats its offer gets the same answer, and the anchor is not asked',
  async (t) => {
    const { session, call } = await establishedLab()
    const hold = editedSdp('asterisk-offer', ['sendrecv', 'sendonly'])
    const first = await session.reoffer(hold)
    const asked = call.story.length
    t.equal(await session.reoffer(hold), first)
    t.equal(call.story.length, asked)
  },
)

t.test('a refresh that changes nothing keeps our o= version', async (t) => {
  const { session, answer } = await establishedLab()
  t.equal(await session.reoffer(sdpFixture('asterisk-offer')), answer)
  const newer = editedSdp('asterisk-offer', ['1821301 1821301', '1821301 1821302'])
  t.equal(await session.reoffer(newer), answer)
})

t.test('another address, port or key is passed to the anchor', async (t) => {
  const { session, call } = await establishedLab({ srtp: 'sdes' }, sdpFixture('pbx-sdes-offer'))
  await session.reoffer(
    editedSdp(
      'pbx-sdes-offer',
      ['c=IN IP4 203.0.113.20', 'c=IN IP4 203.0.113.21'],
      ['19534', '19600'],
      ['PBXE', 'PBXF'],
    ),
  )
  const { remote } = call.last('answer')
  t.match(remote, { address: '203.0.113.21', port: 19600 })
  t.match(remote?.crypto[0]?.key.reveal(), /^PBXF/)
})

t.test('a codec change converts, and back again passes through', async (t) => {
  const { session, answer } = await establishedLab()
  const pcma = await session.reoffer(editedSdp('asterisk-offer', ['107 8 0 101', '8 101']))
  t.match(pcma, /^m=audio 30002 RTP\/AVP 8 101\r$/m)
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'PCMA' })
  const back = await session.reoffer(sdpFixture('asterisk-offer'))
  t.match(back, /^m=audio 30002 RTP\/AVP 107 101\r$/m)
  t.equal(sdpVersion(back), sdpVersion(answer) + 2)
  t.strictSame(session.agreed?.codec, { whatsapp: 'opus', pbx: 'opus' })
})

t.test('an added video line is refused in its place', async (t) => {
  const { session } = await establishedLab()
  const sdp = await session.reoffer(`${sdpFixture('asterisk-offer')}m=video 40000 RTP/AVP 98\r\n`)
  t.strictSame(
    sdpLines(sdp).filter((line) => line.startsWith('m=')),
    ['m=audio 30002 RTP/AVP 107 101', 'm=video 0 RTP/AVP 98'],
  )
  const ours = await session.reoffer(undefined)
  t.match(ours, /^m=video 0 RTP\/AVP 98\r$/m, 'and stays in an offer of ours')
})

t.test('a re-INVITE without SDP gets our offer in the numbers of the call', async (t) => {
  const { session, call } = await establishedLab()
  const sdp = await session.reoffer(undefined)
  t.match(sdp, /^m=audio 30002 RTP\/AVP 107 8 0 101\r$/m)
  t.match(sdp, /^a=sendrecv\r$/m)
  await session.acknowledge(editedSdp('asterisk-answer', ['a=sendrecv', 'a=inactive']))
  t.match(call.last('accept'), { leg: 'pbx', media: { direction: 'inactive' } })
  t.equal(session.agreed?.codec.pbx, 'PCMA')
  t.match(await session.reoffer(sdpFixture('asterisk-offer')), /^a=sendrecv\r$/m)
  await session.reoffer(undefined)
  const later = editedSdp('asterisk-offer', ['a=sendrecv', 'a=sendonly'])
  t.match(await session.reoffer(later), /^a=recvonly\r$/m, 'ours went unanswered: it is void')
  const late = session.acknowledge(sdpFixture('asterisk-answer'))
  t.equal(await refusal(late), 'MEDIA_STATE 491')
})

t.test('our later offer keeps what the PBX has chosen: profile, keys, one port', async (t) => {
  const optional = editedSdp('pbx-optional-encryption-offer', [
    'a=ptime:20',
    'a=rtcp-mux\r\na=ptime:20',
  ])
  const { session } = await establishedLab({ srtp: 'sdes' }, optional)
  const sdp = await session.reoffer(undefined)
  t.match(sdp, /^m=audio 30002 RTP\/AVP 107 8 0 101\r$/m)
  t.match(sdp, /^a=rtcp-mux\r$/m)
  t.match(sdp, /^a=crypto:1 /m)

  const stronger = await establishedLab({ srtp: 'none' }, sdpFixture('freeswitch-offer'))
  const again = await stronger.session.reoffer(undefined)
  t.match(again, /^m=audio 30002 RTP\/SAVP /m)
  t.match(again, /^a=crypto:1 /m, 'more than the trunk demands')
})

t.test('numbers we would use but the PBX has given away are avoided', async (t) => {
  const offer = editedSdp(
    'asterisk-offer',
    ['107 8 0 101', '8 111'],
    [/a=rtpmap:101/, 'a=rtpmap:111'],
  )
  const { session } = await establishedLab({}, offer)
  t.match(await session.reoffer(undefined), /^m=audio 30002 RTP\/AVP 96 8 0 111\r$/m)
})

const refused: [string, string, string][] = [
  [
    'without a common codec',
    editedSdp('asterisk-offer', ['107 8 0 101', '18 101']),
    'MEDIA_NO_COMMON_CODEC 488',
  ],
  [
    'with Opus of 60 ms alone',
    editedSdp('asterisk-offer', ['107 8 0 101', '107 101'], ['a=ptime:20', 'a=ptime:60']),
    'MEDIA_PTIME 488',
  ],
  ['with port 0', editedSdp('asterisk-offer', ['15822', '0']), 'MEDIA_NO_AUDIO 488'],
  ['with DTLS suddenly', sdpFixture('asterisk-webrtc-offer'), 'MEDIA_RENEGOTIATION 488'],
  ['that is no SDP', 'hello', 'MEDIA_SDP_INVALID 488'],
]

for (const [name, sdp, expected] of refused) {
  t.test(`a later offer is refused ${name}, and the session stays`, async (t) => {
    const { session, call, answer } = await establishedLab()
    const { agreed } = session
    const asked = call.story.length
    t.equal(await refusal(session.reoffer(sdp)), expected)
    t.equal(call.story.length, asked)
    t.strictSame(session.agreed, agreed)
    t.equal(await session.reoffer(sdpFixture('asterisk-offer')), answer)
  })
}

t.test('an offer the anchor refuses leaves everything as it was', async (t) => {
  const { session, call, answer } = await establishedLab()
  const { agreed } = session
  call.failNext = { what: 'answer', error: new CausewayError('MEDIA_TRANSCODING_LIMIT') }
  const pcma = editedSdp('asterisk-offer', ['107 8 0 101', '8 101'])
  t.equal(await refusal(session.reoffer(pcma)), 'MEDIA_TRANSCODING_LIMIT 488')
  t.strictSame(session.agreed, agreed)
  t.equal(await session.reoffer(sdpFixture('asterisk-offer')), answer)
})

t.test('a bad answer to our later offer leaves the leg as it was', async (t) => {
  const { session, answer } = await establishedLab()
  const { agreed } = session
  await session.reoffer(undefined)
  const bad = editedSdp('asterisk-answer', ['8 101', '18 101'])
  t.equal(await refusal(session.acknowledge(bad)), 'MEDIA_NO_COMMON_CODEC 488')
  t.strictSame(session.agreed, agreed)
  const again = await session.reoffer(sdpFixture('asterisk-offer'))
  t.strictSame(sdpLines(again).slice(2), sdpLines(answer).slice(2))
})

t.test('a DTLS association goes on in its roles through hold', async (t) => {
  const passive = editedSdp('asterisk-webrtc-offer', ['setup:actpass', 'setup:active'])
  const { session, answer } = await establishedLab({ srtp: 'dtls' }, passive)
  t.match(answer, /^a=setup:passive\r$/m)
  const hold = editedSdp('asterisk-webrtc-offer', ['a=sendrecv', 'a=sendonly'])
  t.match(await session.reoffer(hold), /^a=setup:passive\r$/m, 'the same certificate keeps roles')
  const renewed = editedSdp('asterisk-webrtc-offer', ['11:22:33', '99:22:33'])
  t.match(await session.reoffer(renewed), /^a=setup:active\r$/m, 'a new one begins anew')
})

t.test('an UPDATE before the answer, and the answer that repeats the 183', async (t) => {
  const { session, call } = openLab()
  await session.offer('whatsapp', sdpFixture('whatsapp-sdes-offer'))
  t.equal(
    await refusal(session.reoffer(sdpFixture('asterisk-offer'))),
    'MEDIA_STATE 491',
    'too early',
  )
  await session.early(sdpFixture('asterisk-answer'))
  const update = await session.reoffer(editedSdp('asterisk-offer', ['107 8 0 101', '8 101']))
  t.match(update, /^m=audio 30000 RTP\/AVP 8 101\r$/m)
  await session.answer('pbx', sdpFixture('asterisk-answer'))
  t.strictSame(call.story, ['offer pbx', 'accept pbx', 'answer pbx', 'answer whatsapp'])
})

t.test('an anchor that cannot renumber refuses other numbers', async (t) => {
  const { session } = await establishedLab(
    { abilities: { renumbers: false } },
    editedSdp(
      'asterisk-offer',
      ['107 8', '111 8'],
      ['rtpmap:107', 'rtpmap:111'],
      ['fmtp:107', 'fmtp:111'],
      ['101\r', '126\r'],
      ['rtpmap:101', 'rtpmap:126'],
      ['fmtp:101', 'fmtp:126'],
    ),
  )
  t.equal(await refusal(session.reoffer(sdpFixture('asterisk-offer'))), 'MEDIA_RENEGOTIATION 488')
})
