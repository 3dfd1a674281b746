import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import t from 'tap'
import { openConnections } from '../../../src/media-relay/dtls/connection.ts'
import { loadDtls, unloadDtls } from '../../../src/media-relay/dtls/library.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'
import { ATTRIBUTE, BINDING, parseStun, writeStun } from '../../../src/simulator/media/stun.ts'
import {
  describe,
  freePorts,
  introduce,
  isConnected,
  ofPeer,
  ofWire,
  probeWire,
  rtpPacket,
  shapeOf,
} from './lab.ts'

await loadDtls(silentLogger())

const ROLES = [
  { peerRole: 'passive', ours: 'active' },
  { peerRole: 'active', ours: 'passive' },
] as const

for (const { peerRole, ours } of ROLES) {
  t.test(`answers an ICE-lite offer as the ${ours} side`, async (t) => {
    const peer = await DtlsMediaTransport.open({ role: peerRole })
    const probe = await probeWire()
    const transport = await probe.wire.answer(ofPeer(peer, 'actpass'), shapeOf(ours))
    t.equal(transport.dtls?.setup, ours)
    t.equal(transport.ice?.lite, false)
    t.equal(transport.rtcpMux, true)
    t.equal(transport.rtcpPort, undefined)
    t.match(transport.ice?.candidates, [{ address: '127.0.0.1', port: transport.port }])
    introduce(peer, transport)
    await probe.ready
    await isConnected(peer)
    await talk(t, probe, peer)
    t.equal(peer.ice.roleConflicts, 0, 'we are controlling')
    t.match(probe.wire.facts(), {
      local: `127.0.0.1:${transport.port}`,
      remote: `127.0.0.1:${peer.local.port}`,
      ice: { local: `127.0.0.1:${transport.port}`, remote: `127.0.0.1:${peer.local.port}` },
      dtls: { role: ours, state: 'connected' },
    })
    peer.close()
    await probe.wire.close()
    t.equal(probe.ports.size, 0)
  })

  t.test(`offers to an ICE-lite peer that answers ${peerRole}`, async (t) => {
    const peer = await DtlsMediaTransport.open({ role: peerRole })
    const probe = await probeWire()
    const transport = await probe.wire.offer(shapeOf('actpass'))
    t.equal(transport.dtls?.setup, 'actpass')
    introduce(peer, transport)
    await probe.wire.accept(ofPeer(peer, peer.setup))
    await probe.ready
    await isConnected(peer)
    await talk(t, probe, peer)
    t.equal(peer.ice.roleConflicts, 0, 'we are controlling')
    t.equal(probe.wire.facts().dtls?.role, ours)
    peer.close()
    await probe.wire.close()
    t.equal(probe.ports.size, 0)
  })
}

t.test('a check that comes before the answer to our offer is not heard', async (t) => {
  const probe = await probeWire()
  const transport = await probe.wire.offer(shapeOf('actpass'))
  const { ufrag, password } = transport.ice!
  const peer = createSocket('udp4').bind(0, '127.0.0.1')
  await once(peer, 'listening')
  const answers: string[] = []
  const heard = Promise.withResolvers<void>()
  peer.on('message', (packet) => {
    const message = parseStun(packet)
    if (message?.type !== BINDING.success) return
    answers.push(message.transaction.toString())
    heard.resolve()
  })
  const check = (name: string): Promise<void> => {
    const attributes = [
      [ATTRIBUTE.username, Buffer.from(`${ufrag}:peer`)],
      [ATTRIBUTE.priority, Buffer.from([0x6e, 0, 1, 0xff])],
      [ATTRIBUTE.iceControlled, Buffer.alloc(8, 1)],
    ] as const
    const transaction = Buffer.from(name.padEnd(12))
    const packet = writeStun({ type: BINDING.request, transaction, attributes }, password)
    return new Promise((resolve) => {
      peer.send(packet, transport.port, '127.0.0.1', () => resolve())
    })
  }
  await check('before')
  const description = describe({
    dtls: { fingerprints: transport.dtls!.fingerprints, setup: 'active' },
    ice: { ufrag: 'peer', password: new Secret('p'.repeat(22)), lite: false, candidates: [] },
  })
  await probe.wire.accept(description)
  await check('after')
  await heard.promise
  t.same(answers, ['after'.padEnd(12)])
  peer.close()
  await probe.wire.close()
})

t.test('two full agents over IPv6, RTCP among RTP', async (t) => {
  const one = await probeWire({ listen: '::1' })
  const other = await probeWire({ listen: '::1' })
  const offer = await one.wire.offer(shapeOf('actpass'))
  t.equal(offer.family, 6)
  const answer = await other.wire.answer(ofWire(offer), shapeOf('active'))
  await one.wire.accept(ofWire(answer))
  await Promise.all([one.ready, other.ready])
  one.wire.sendRtcp(receiverReport(), 8)
  for (let n = 0; n < 3; n++) one.wire.sendRtp(rtpPacket(n, 0x77, 98), 172)
  await other.received(3)
  t.equal(other.rtcp.length, 1)
  t.same(other.rtcp[0], receiverReport().subarray(0, 8))
  t.same(other.rtp[0], rtpPacket(0, 0x77, 98).subarray(0, 172), 'any SSRC and payload type')
  t.equal(other.rtp.length + other.rtcp.length, 4, 'nothing is added')
  await Promise.all([one.wire.close(), other.wire.close()])
})

t.test('a ClientHello before the answer does not stall', async (t) => {
  for (let n = 0; n < 12; n++) {
    const one = await probeWire()
    const other = await probeWire()
    const offer = await one.wire.offer(shapeOf('actpass'))
    // Checks and sends its ClientHello at once, while `one` does not know of it.
    const answer = await other.wire.answer(ofWire(offer), shapeOf('active'))
    for (let turn = 0; turn < 20 * n; turn++) await new Promise(setImmediate)
    const from = performance.now()
    await one.wire.accept(ofWire(answer))
    const failed = [one.failed, other.failed].map((failure) =>
      failure.then((error) => t.error(error)),
    )
    await Promise.race([Promise.all([one.ready, other.ready]), ...failed])
    t.ok(performance.now() - from < 700, 'sooner than a repetition of the ClientHello')
    await Promise.all([one.wire.close(), other.wire.close()])
  }
})

t.test('advertises the external address to those who need it', async (t) => {
  const probe = await probeWire({ externalAddress: '203.0.113.7' })
  const public_ = await probe.wire.offer(shapeOf('actpass'))
  t.equal(public_.address, '203.0.113.7')
  t.match(public_.ice?.candidates, [{ address: '203.0.113.7', port: public_.port, type: 'host' }])
  const near = await probe.wire.offer({ ...shapeOf('actpass'), external: false })
  t.equal(near.address, '127.0.0.1')
  t.match(near.ice?.candidates, [{ address: '127.0.0.1', port: public_.port }])
  await probe.wire.close()
})

t.test('a port of another program is passed over, in both directions of offer', async (t) => {
  const taken = createSocket('udp4')
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve))
  const [free, free2] = await freePorts(2)
  const busy = taken.address().port
  const offering = await probeWire({ ports: [busy, free!] })
  const offer = await offering.wire.offer(shapeOf('actpass'))
  t.equal(offer.port, free)
  t.same([...offering.ports], [free])
  const answering = await probeWire({ ports: [busy, busy, free2!] })
  const answer = await answering.wire.answer(ofWire(offer), shapeOf('active'))
  t.equal(answer.port, free2)
  const none = await probeWire({ ports: [busy] })
  await t.rejects(none.wire.offer(shapeOf('actpass')), { code: 'MEDIA_PORTS_EXHAUSTED' })
  t.equal(none.ports.size, 0)
  taken.close()
  await Promise.all([offering.wire.close(), answering.wire.close(), none.wire.close()])
  t.equal(offering.ports.size + answering.ports.size, 0)
})

t.test('an address of another machine is named as such', async (t) => {
  const probe = await probeWire({ listen: '192.0.2.1', ports: [40_000, 40_002] })
  await t.rejects(probe.wire.offer(shapeOf('actpass')), { code: 'MEDIA_LISTEN' })
  await probe.wire.close()
})

t.test('without mux no RTCP leaves', async (t) => {
  const peer = await DtlsMediaTransport.open()
  let reports = 0
  let packets = 0
  peer.events = { rtcp: () => reports++, rtp: () => packets++ }
  const probe = await probeWire()
  const offer = { ...ofPeer(peer, 'actpass'), rtcpMux: false }
  introduce(peer, await probe.wire.answer(offer, shapeOf('active')))
  await probe.ready
  await isConnected(peer)
  probe.wire.sendRtcp(receiverReport(), 8)
  probe.wire.sendRtp(rtpPacket(1), 172)
  while (packets === 0) await new Promise(setImmediate)
  t.equal(reports, 0)
  peer.close()
  await probe.wire.close()
})

t.test('closing is idempotent, early, and leaves nothing', async (t) => {
  const fresh = await probeWire()
  await fresh.wire.close()
  await t.rejects(fresh.wire.offer(shapeOf('actpass')), { code: 'MEDIA_RELAY_LOST' })
  const offering = await probeWire()
  await offering.wire.offer(shapeOf('actpass'))
  await Promise.all([offering.wire.close(), offering.wire.close()])
  t.equal(offering.ports.size, 0)
  offering.wire.sendRtp(rtpPacket(1), 172)
  offering.wire.delivered()
  t.equal(offering.wire.facts().dtls, undefined)
  while (openConnections() > 0) await new Promise(setImmediate)
  t.equal(openConnections(), 0, 'the library has closed every object')
})

t.test('the library lets the thread end', async () => unloadDtls())

async function talk(
  t: Tap,
  probe: Awaited<ReturnType<typeof probeWire>>,
  peer: DtlsMediaTransport,
): Promise<void> {
  const heard: Buffer[] = []
  peer.events = { rtp: (packet) => heard.push(packet) }
  for (let n = 0; n < 3; n++) probe.wire.sendRtp(rtpPacket(n), 172)
  for (let n = 0; n < 3; n++) peer.sendRtp(rtpPacket(n, 0x99, 126).subarray(0, 172))
  await probe.received(3)
  while (heard.length < 3) await new Promise(setImmediate)
  t.same(heard[2], rtpPacket(2).subarray(0, 172))
  t.same(probe.rtp[2], rtpPacket(2, 0x99, 126).subarray(0, 172))
  t.equal(probe.readies, 1)
  t.same(probe.failures, [])
}

type Tap = Pick<typeof t, 'same' | 'equal'>

/** An empty receiver report, with room behind. */
function receiverReport(): Buffer {
  const slot = Buffer.alloc(8 + 160)
  slot.set([0x80, 201, 0, 1, 0, 0, 0x12, 0x34])
  return slot
}
