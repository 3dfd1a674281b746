import { createSocket, type Socket } from 'node:dgram'
import t from 'tap'
import { loadDtls, unloadDtls } from '../../../src/media-relay/dtls/library.ts'
import { systemClock } from '../../../src/shared/clock.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { makeDtlsCertificate } from '../../../src/simulator/media/certificate.ts'
import { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'
import { ATTRIBUTE, BINDING, parseStun, writeStun } from '../../../src/simulator/media/stun.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeRandom } from '../../support/fake-random.ts'
import { introduce, isConnected, ofPeer, openMiddle, probeWire, rtpPacket, shapeOf } from './lab.ts'

await loadDtls(silentLogger())

const make = () => makeDtlsCertificate({ clock: systemClock, random: systemRandom })
/** An encrypted record too short to be one: the OpenSSL within the library ends the session over it. */
const SHORT = Buffer.from([22, 254, 253, 0, 1, 0, 0, 0, 0, 0, 99, 0, 1, 0])

const ROLES = ['active', 'passive'] as const

for (const ours of ROLES) {
  const role = ours === 'active' ? 'passive' : 'active'

  t.test(`${ours}: a certificate other than that of the SDP is refused`, async (t) => {
    const peer = await DtlsMediaTransport.open({ role })
    const probe = await probeWire()
    const offer = ofPeer(peer, 'actpass')
    offer.dtls!.fingerprints = [make().fingerprint]
    introduce(peer, await probe.wire.answer(offer, shapeOf(ours)))
    const error = await probe.failed
    t.equal(error.code, 'MEDIA_DTLS_FAILED')
    t.ok(error.detail?.includes(peer.local.fingerprint.value), 'names what was shown')
    t.equal(probe.wire.ready, false)
    t.equal(probe.readies, 0)
    t.equal(probe.wire.facts().dtls?.state, 'failed')
    probe.wire.sendRtp(rtpPacket(1), 172)
    peer.close()
    await probe.wire.close()
    t.equal(probe.failures.length, 1)
    t.equal(probe.ports.size, 0)
  })

  t.test(`${ours}: a certificate whose key the peer does not have is refused`, async (t) => {
    const shown = make()
    const peer = await DtlsMediaTransport.open({
      role,
      certificate: { ...shown, key: make().key },
    })
    const probe = await probeWire()
    introduce(peer, await probe.wire.answer(ofPeer(peer, 'actpass'), shapeOf(ours)))
    t.equal((await probe.failed).code, 'MEDIA_DTLS_FAILED')
    t.equal(probe.readies, 0)
    t.equal(probe.rtp.length, 0)
    peer.close()
    await probe.wire.close()
  })
}

t.test('checks without or with a wrong integrity go unanswered and change nothing', async (t) => {
  const probe = await probeWire()
  const transport = await probe.wire.offer(shapeOf('actpass'))
  const { ufrag, password } = transport.ice!
  const peer = await DtlsMediaTransport.open()
  // Its socket hears nothing before; the peer answers no check until it is introduced.
  await probe.wire.accept(ofPeer(peer, 'passive'))
  const user = `${ufrag}:${peer.local.ufrag}`
  const stranger = await open()
  const answers: Buffer[] = []
  // Checks of our own go to those who have shown the password.
  stranger.on('message', (packet) => {
    if (packet.readUInt16BE(0) & 0x0100) answers.push(packet)
  })
  const send = (packet: Buffer): void => stranger.send(packet, transport.port, '127.0.0.1')
  const check = (name: string, secret: Secret | undefined): Buffer =>
    writeStun(
      {
        type: BINDING.request,
        transaction: systemRandom.bytes(12),
        attributes: [
          [ATTRIBUTE.username, Buffer.from(name)],
          [ATTRIBUTE.priority, Buffer.from([0x6e, 0, 0, 0xff])],
          [ATTRIBUTE.iceControlled, systemRandom.bytes(8)],
        ],
      },
      secret,
    )
  send(check(user, undefined))
  send(check(user, new Secret('w'.repeat(22))))
  send(check(`none:${peer.local.ufrag}`, password))
  const flipped = check(user, password)
  flipped[40] = flipped[40]! ^ 1
  send(flipped)
  // In order behind them; its answer shows that those before had none.
  const authentic = check(user, password)
  send(authentic)
  while (answers.length === 0) await new Promise(setImmediate)
  t.equal(answers.length, 1)
  const success = parseStun(answers[0]!)
  t.equal(success?.type, BINDING.success)
  t.same(success?.transaction, authentic.subarray(8, 20))
  t.equal(probe.wire.ready, false)

  introduce(peer, transport)
  await probe.ready
  t.equal(probe.wire.facts().remote, `127.0.0.1:${peer.local.port}`)
  send(check(user, undefined))
  send(check(user, new Secret('w'.repeat(22))))
  await isConnected(peer)
  peer.sendRtp(rtpPacket(1).subarray(0, 172))
  await probe.received(1)
  t.equal(probe.wire.facts().remote, `127.0.0.1:${peer.local.port}`)
  t.equal(answers.length, 1)
  stranger.close()
  peer.close()
  await probe.wire.close()
})

t.test('noise of strangers before, during and after the handshake does no harm', async (t) => {
  const random = new FakeRandom(7)
  const peer = await DtlsMediaTransport.open()
  const probe = await probeWire()
  const transport = await probe.wire.answer(ofPeer(peer, 'actpass'), shapeOf('active'))
  const stranger = await open()
  const noise = (count: number): void => {
    for (let n = 0; n < count; n++) stranger.send(garbage(random), transport.port, '127.0.0.1')
  }
  noise(300)
  introduce(peer, transport)
  noise(300)
  await probe.ready
  await isConnected(peer)
  noise(300)
  peer.sendRtp(rtpPacket(1).subarray(0, 172))
  await probe.received(1)
  t.equal(probe.rtp.length, 1)
  t.same(probe.rtcp, [])
  t.same(probe.failures, [])
  stranger.close()
  peer.close()
  await probe.wire.close()
})

t.test('noise from the address of the peer itself does no harm', async (t) => {
  const random = new FakeRandom(8)
  const peer = await DtlsMediaTransport.open()
  const middle = await openMiddle(peer)
  const probe = await probeWire()
  introduce(peer, await probe.wire.answer(middle.description, shapeOf('active')))
  let records = 0
  middle.filter = (packet, from) => {
    // A burst beside every record of the handshake, in between.
    if (from === 'peer' && packet[0] === 22) {
      records++
      for (let n = 0; n < 20; n++) middle.inject(harmless(random))
    }
    return true
  }
  await probe.ready
  await isConnected(peer)
  t.ok(records > 0)
  for (let n = 0; n < 300; n++) middle.inject(garbage(random))
  peer.sendRtp(rtpPacket(1).subarray(0, 172))
  await probe.received(1)
  t.same(probe.rtp[0], rtpPacket(1).subarray(0, 172))
  t.equal(probe.rtp.length, 1)
  t.same(probe.failures, [])
  middle.close()
  peer.close()
  await probe.wire.close()
})

t.test('a DTLS session that ends fails the wire, unless the call ends first', async (t) => {
  for (const grace of [true, false]) {
    const clock = new FakeClock()
    const peer = await DtlsMediaTransport.open()
    const middle = await openMiddle(peer)
    const probe = await probeWire({ clock })
    introduce(peer, await probe.wire.answer(middle.description, shapeOf('active')))
    await probe.ready
    middle.inject(SHORT)
    while (probe.wire.ready) await new Promise(setImmediate)
    t.equal(probe.wire.facts().dtls?.state, 'closed')
    t.same(probe.failures, [], 'the BYE may be on its way')
    if (grace) await probe.wire.close()
    clock.advance(5_000)
    t.same(
      probe.failures.map(({ code }) => code),
      grace ? [] : ['MEDIA_DTLS_FAILED'],
    )
    middle.close()
    peer.close()
    await probe.wire.close()
  }
})

t.test('gives up after 20 s from the delivery of the answer, and says what failed', async (t) => {
  const clock = new FakeClock()
  const peer = await DtlsMediaTransport.open()
  const middle = await openMiddle(peer)
  middle.filter = () => false
  const ringing = await probeWire({ clock })
  await ringing.wire.answer(middle.description, shapeOf('active'))
  clock.advance(170_000)
  t.same(ringing.failures, [], 'it may ring')
  ringing.wire.delivered()
  clock.advance(21_000)
  t.match(ringing.failures, [{ code: 'MEDIA_ICE_FAILED', detail: /no answer to checks of/ }])
  await ringing.wire.close()
  t.equal(ringing.ports.size, 0)

  middle.filter = (packet) => packet[0]! < 4
  const silent = await probeWire({ clock })
  introduce(peer, await silent.wire.offer(shapeOf('actpass')))
  await silent.wire.accept(middle.description)
  while (silent.wire.facts().dtls?.state !== 'handshaking') await new Promise(setImmediate)
  clock.advance(21_000)
  t.match(silent.failures, [{ code: 'MEDIA_DTLS_FAILED', detail: /ClientHello/ }])
  middle.close()
  peer.close()
  await silent.wire.close()
})

t.test('a peer that answers checks only when it has our answer is found at once', async (t) => {
  const peer = await DtlsMediaTransport.open()
  const middle = await openMiddle(peer)
  let lost = 0
  middle.filter = (_packet, from) => {
    if (from === 'wire' && peer.state === 'new') lost++
    return peer.state !== 'new'
  }
  const probe = await probeWire()
  const transport = await probe.wire.answer(middle.description, shapeOf('active'))
  while (lost < 2) await new Promise((resolve) => setTimeout(resolve, 10))
  // libjuice would repeat its check in a second only.
  const from = performance.now()
  introduce(peer, transport)
  probe.wire.delivered()
  await probe.ready
  t.ok(performance.now() - from < 700)
  middle.close()
  peer.close()
  await probe.wire.close()
})

t.test('the library lets the thread end', async () => unloadDtls())

function open(): Promise<Socket> {
  const socket = createSocket('udp4')
  return new Promise((resolve) => socket.bind(0, '127.0.0.1', () => resolve(socket)))
}

/** Datagrams like those of every kind that shares the port, none of them right. */
function garbage(random: FakeRandom): Buffer {
  const packet = random.bytes(1 + random.int(0, 200))
  const kind = random.int(0, 5)
  if (kind === 0) packet[0] = random.int(0, 4)
  if (kind === 1) packet[0] = random.int(20, 64)
  if (kind === 2) packet[0] = random.int(128, 192)
  if (kind === 3 && packet.length >= 20) {
    packet.writeUInt16BE(random.int(0, 2) ? 1 : 0x0101, 0)
    packet.writeUInt16BE(packet.length - 20, 2)
    packet.writeUInt32BE(0x2112a442, 4)
  }
  if (kind === 4 && packet.length >= 14) {
    packet.set([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, random.int(0, 9)])
    packet.writeUInt16BE(packet.length - 13, 11)
  }
  return packet
}

/** Garbage without well-formed records in the clear: until there are keys, those can break a handshake. */
function harmless(random: FakeRandom): Buffer {
  const packet = garbage(random)
  if (packet.length > 1 && packet[0]! >= 20 && packet[0]! < 64) packet[1] = 0
  return packet
}
