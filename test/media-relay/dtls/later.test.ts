import t from 'tap'
import { loadDtls, unloadDtls } from '../../../src/media-relay/dtls/library.ts'
import { silentLogger } from '../../../src/shared/log.ts'
import { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'
import { introduce, isConnected, ofPeer, probeWire, rtpPacket, shapeOf } from './lab.ts'

await loadDtls(silentLogger())

t.test('a later offer of the same peer changes nothing', async (t) => {
  const peer = await DtlsMediaTransport.open()
  const probe = await probeWire()
  const offer = ofPeer(peer, 'actpass')
  const first = await probe.wire.answer(offer, shapeOf('active'))
  introduce(peer, first)
  await probe.ready
  const again = await probe.wire.answer({ ...offer, direction: 'sendonly' }, shapeOf('active'))
  t.same(again, first)
  t.same(await probe.wire.offer(shapeOf('actpass')), {
    ...first,
    dtls: { ...first.dtls, setup: 'actpass' },
  })
  await probe.wire.accept(ofPeer(peer, 'passive'))
  t.equal(probe.readies, 1)
  t.equal(probe.wire.ready, true)
  peer.close()
  await probe.wire.close()
})

t.test(
  'a changed peer takes over when it is connected, the former one is heard until then',
  async (t) => {
    const former = await DtlsMediaTransport.open()
    const next = await DtlsMediaTransport.open()
    const probe = await probeWire()
    const first = await probe.wire.answer(ofPeer(former, 'actpass'), shapeOf('active'))
    introduce(former, first)
    await probe.ready
    await isConnected(former)
    const second = await probe.wire.answer(ofPeer(next, 'actpass'), shapeOf('active'))
    t.not(second.port, first.port)
    t.not(second.ice?.ufrag, first.ice?.ufrag)
    t.equal(probe.wire.ready, true)
    former.sendRtp(rtpPacket(1).subarray(0, 172))
    await probe.received(1)
    introduce(next, second)
    await isConnected(next)
    while (probe.readies < 2) await new Promise(setImmediate)
    let heard = 0
    next.events = { rtp: () => heard++ }
    probe.wire.sendRtp(rtpPacket(2), 172)
    while (heard === 0) await new Promise(setImmediate)
    t.equal(probe.wire.facts().local, `127.0.0.1:${second.port}`)
    former.close()
    while (probe.ports.size > 1) await new Promise(setImmediate)
    t.same([...probe.ports], [second.port], 'the former port is given back')
    next.close()
    await probe.wire.close()
    t.equal(probe.ports.size, 0)
    t.same(probe.failures, [])
  },
)

t.test('a peer that changes twice leaves no session behind', async (t) => {
  const peers = await Promise.all([1, 2, 3].map(() => DtlsMediaTransport.open()))
  const probe = await probeWire()
  for (const peer of peers) await probe.wire.answer(ofPeer(peer, 'actpass'), shapeOf('active'))
  await probe.wire.close()
  t.equal(probe.ports.size, 0)
  for (const peer of peers) peer.close()
})

t.test('an answer may not restart what the offer did not', async (t) => {
  const peer = await DtlsMediaTransport.open()
  const other = await DtlsMediaTransport.open()
  const probe = await probeWire()
  introduce(peer, await probe.wire.offer(shapeOf('actpass')))
  await probe.wire.accept(ofPeer(peer, 'passive'))
  await t.rejects(probe.wire.accept(ofPeer(other, 'passive')), { code: 'MEDIA_ICE_INVALID' })
  await probe.ready
  t.pass('the first answer stands')
  peer.close()
  other.close()
  await probe.wire.close()
})

t.test('the library lets the thread end', async () => unloadDtls())
