import { readFileSync } from 'node:fs'
import t from 'tap'
import { headerValue } from '../../../src/embedded-drachtio/message/index.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { toneLoop } from '../../../src/simulator/media/codec.ts'
import type { CallRecord } from '../../../src/simulator/sip/index.ts'
import { until } from '../../support/until.ts'
import { cleanup, DataChannelBusiness } from '../media/libdatachannel.ts'
import {
  BUSINESS,
  CONSUMER,
  callConsumer,
  crlf,
  HOST,
  inDialog,
  type Lab,
  type LabOptions,
  reply,
  startLab,
} from './lab.ts'

const CONTACT = `Contact: <sip:${BUSINESS}@${HOST};transport=tls>`
const TONE = await toneLoop('opus', 880, -16)

type Test = { teardown(fn: () => void): void }

/** A lab in real time whose number asks for DTLS. */
async function dtlsLab(t: Test, options: LabOptions = {}): Promise<Lab> {
  const { behaviour, ...more } = options
  const lab = await startLab(t, {
    clock: systemClock,
    random: systemRandom,
    behaviour: { firstPacket: 20_000, ...behaviour },
    ...more,
  })
  lab.number.calling.srtp = 'DTLS'
  return lab
}

function business(t: Test): DataChannelBusiness {
  const one = new DataChannelBusiness()
  t.teardown(() => one.close())
  return one
}

/** Speaks until WhatsApp has heard enough. */
async function speak(business: DataChannelBusiness, call: CallRecord): Promise<void> {
  await until('the handshake', () => business.opened)
  const start = performance.now()
  for (let sent = 0; sent < 400 && !call.media?.verdict().heard; ) {
    for (; sent * 20 <= performance.now() - start; sent++) business.say(TONE[sent % TONE.length]!)
    await new Promise((r) => setTimeout(r, 5))
  }
}

/** Both offers with what differs from call to call replaced. */
function skeleton(sdp: string): string[] {
  return sdp.split('\r\n').map((line) =>
    line
      .replace(/^(o=- )\d{13}/, '$1EPOCH')
      .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, 'UUID')
      .replace(/^m=audio \d+/, 'm=audio PORT')
      .replace(/^(c=IN IP4 )\S+/, '$1ADDRESS')
      .replace(/^(a=candidate:.* )\S+ \d+( typ)/, '$1ADDRESS PORT$2')
      .replace(/^(a=ice-ufrag:)\S{16}$/, '$1UFRAG')
      .replace(/^(a=ice-pwd:)\S{22}==$/, '$1PWD')
      .replace(/(sha-256 )([0-9A-F]{2}:){31}[0-9A-F]{2}$/, '$1DIGEST')
      .replace(/^(a=ssrc:)\d+/, '$1SSRC'),
  )
}

t.test('user-initiated: the offer is a real one but for its values, and both hear', async (t) => {
  const lab = await dtlsLab(t)
  const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
  const invite = await lab.peer.expect('INVITE')
  const offer = invite.message.body!.toString()
  const file = new URL('../../fixtures/sdp/whatsapp-dtls-offer.sdp', import.meta.url)
  const real = skeleton(readFileSync(file, 'utf8'))
  const ours = skeleton(offer)
  // Without IPv6 there is one candidate less.
  t.same(
    ours.filter((line) => !line.includes('2617197009')),
    real.filter((line) => !line.includes('2617197009')),
  )

  const peer = business(t)
  invite.write(reply(invite.message, '200 OK', CONTACT, { body: await peer.answer(offer) }))
  await lab.peer.expect('ACK')
  await speak(peer, call)
  await until('audio', () => peer.received.length > 10)
  lab.simulator.hangup(call.id)
  const bye = await lab.peer.expect('BYE')
  bye.write(reply(bye.message, '200 OK'))
  const { media, violations } = call.view()
  t.same(violations, [])
  t.ok(media?.heard)
  t.equal(media?.received.tone?.frequency, 880)
  t.match(media?.dtls, {
    state: 'closed',
    role: 'passive',
    checks: { unauthenticated: 0, roleConflicts: 0 },
  })
  t.type(media?.dtls?.handshakeMs, 'number')
  t.type(media?.promises?.firstPacket, 'number')
  t.equal(new Set(peer.received.filter((p) => p[1]! < 192).map((p) => p.readUInt32BE(8))).size, 1)
  t.ok(
    peer.received.some((packet) => packet[1] === 200),
    'and reports its sending',
  )
})

for (const dtlsRole of ['passive', 'active'] as const) {
  t.test(`business-initiated: the answer is ${dtlsRole}, and both hear`, async (t) => {
    const lab = await dtlsLab(t, { behaviour: { dtlsRole } })
    lab.simulator.consumers.update(CONSUMER, { script: { action: 'answer', after: 20 } })
    const socket = await lab.connect()
    const peer = business(t)
    await callConsumer(lab, socket, { sdp: await peer.offer() })
    await lab.peer.expect('180 INVITE')
    const ok = await lab.peer.expect('200 INVITE')
    socket.write(crlf(inDialog('ACK', ok.message)))
    const answer = ok.message.body!.toString()
    t.match(answer, `a=setup:${dtlsRole}\r\n`)
    t.match(answer, /^a=ice-lite\r$/m)
    t.match(
      answer,
      /m=audio \d+ UDP\/TLS\/RTP\/SAVPF 111 126\r\n/,
      'the type is echoed; events are added where the offer has none',
    )
    peer.accept(answer)
    const call = lab.simulator.calls.byCallId('call-1')!
    await speak(peer, call)
    await until('audio', () => peer.received.length > 10)
    t.ok(call.media?.verdict().heard)
    t.equal(call.media?.verdict().dtls?.role, dtlsRole)
    t.same(call.violations, [])
    socket.write(crlf(inDialog('BYE', ok.message)))
    await lab.peer.expect('200 BYE')
  })
}

t.test('a certificate other than the announced one ends the call, and says so', async (t) => {
  for (const strict of [true, false]) {
    const lab = await dtlsLab(t, { behaviour: { strict } })
    const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
    const invite = await lab.peer.expect('INVITE')
    const answer = await business(t).answer(invite.message.body!.toString())
    const body = answer.replace(/(sha-256 )\S{5}/i, '$1AA:BB')
    invite.write(reply(invite.message, '200 OK', CONTACT, { body }))
    await lab.peer.expect('ACK')
    await call.until(() => call.violations.length > 0)
    t.match(call.violations, [{ rule: 'dtls', detail: /not the one its SDP announces/ }])
    if (!strict) {
      t.equal(call.state, 'answered', 'noted only')
      continue
    }
    const bye = await lab.peer.expect('BYE')
    t.match(
      headerValue(bye.message.headers, 'reason'),
      /^SIP;cause=500;text="dtls: the certificate/,
    )
    t.match(call.outcome, { by: 'whatsapp', reason: /^dtls: / })
  }
})

t.test('answers that lead nowhere', async (t) => {
  const cases: [string, (answer: string) => string, RegExp, string | undefined][] = [
    [
      'no fingerprint',
      (sdp) => sdp.replace(/^a=fingerprint.*\r\n/gm, ''),
      /No fingerprint found/,
      'BYE',
    ],
    ['no ICE', (sdp) => sdp.replace(/^a=ice-pwd.*\r\n/gm, ''), /No ICE credentials/, 'BYE'],
    [
      'passive on both sides',
      (sdp) => sdp.replace('setup:active', 'setup:passive'),
      /starts no handshake/,
      undefined,
    ],
    ['no mux', (sdp) => sdp.replace('a=rtcp-mux\r\n', ''), /no rtcp-mux/, undefined],
  ]
  for (const [name, change, text, then] of cases) {
    const lab = await dtlsLab(t)
    const call = lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
    const invite = await lab.peer.expect('INVITE')
    const answer = await business(t).answer(invite.message.body!.toString())
    invite.write(reply(invite.message, '200 OK', CONTACT, { body: change(answer) }))
    await lab.peer.expect('ACK')
    if (then) await lab.peer.expect(then)
    await call.until(() => call.violations.length > 0)
    t.match(call.violations[0], { rule: 'sdp', detail: text }, name)
  }
})

t.test('business offers without a fingerprint or ICE are refused', async (t) => {
  const offer = await business(t).offer()
  for (const [pattern, text] of [
    [/^a=fingerprint.*\r\n/gm, 'No fingerprint found in SDP'],
    [/^a=ice-ufrag.*\r\n/gm, 'SDP Validation error: No ICE credentials found in SDP'],
  ] as const) {
    const lab = await dtlsLab(t)
    const socket = await lab.connect()
    const { message } = await callConsumer(lab, socket, { sdp: offer.replace(pattern, '') })
    t.match(message, { status: 403, reason: text })
  }
})

t.test('additional codecs are offered in the order that is asked for', async (t) => {
  for (const [codecOrder, types] of [
    ['opus-first', '111 8 0 126'],
    ['g711-first', '8 0 111 126'],
  ] as const) {
    const lab = await dtlsLab(t, { behaviour: { codecOrder } })
    lab.number.calling.additionalCodecs = ['PCMA', 'PCMU']
    lab.simulator.placeCall({ from: CONSUMER, to: BUSINESS })
    const invite = await lab.peer.expect('INVITE')
    t.match(invite.text, `UDP/TLS/RTP/SAVPF ${types}\r\n`)
    t.match(invite.text, /a=rtpmap:8 PCMA\/8000\r\na=rtpmap:0 PCMU\/8000\r\n/)
  }
})

t.teardown(() => cleanup())
