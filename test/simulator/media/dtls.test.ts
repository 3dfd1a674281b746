import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import t from 'tap'
import { systemClock } from '../../../src/shared/clock.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { makeDtlsCertificate } from '../../../src/simulator/media/certificate.ts'
import {
  type DtlsMediaOptions,
  DtlsMediaTransport,
  type DtlsRemote,
  type Setup,
} from '../../../src/simulator/media/dtls.ts'
import { ATTRIBUTE, BINDING, hasIntegrity, parseStun } from '../../../src/simulator/media/stun.ts'
import { check, join, NOMINATING, udpSocket } from './ice-bridge.ts'

type Test = { teardown(fn: () => void): void }

async function open(t: Test, options: DtlsMediaOptions = {}): Promise<DtlsMediaTransport> {
  const transport = await DtlsMediaTransport.open(options)
  t.teardown(() => transport.close())
  return transport
}

/** How a transport is described to its peer. */
function remoteOf(transport: DtlsMediaTransport, setup: Setup): DtlsRemote {
  const { ufrag, fingerprint } = transport.local
  return { ufrag, setup, fingerprints: [fingerprint] }
}

/** Resolves when the transport is connected; rejects with the reason when it fails. */
function connected(transport: DtlsMediaTransport): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (transport.state === 'connected') resolve()
      if (transport.state === 'failed') reject(new Error(transport.reason))
    }
    transport.events.state = look
    look()
  })
}

function rtp(sequence: number, payload = 'hello'): Buffer {
  const header = Buffer.alloc(12)
  header[0] = 0x80
  header[1] = 111
  header.writeUInt16BE(sequence, 2)
  header.writeUInt32BE(0x1234, 8)
  return Buffer.concat([header, Buffer.from(payload)])
}

const RECEIVER_REPORT = Buffer.from([0x80, 201, 0, 1, 0, 0, 0x12, 0x34])

t.test('what the SDP says has the shapes of the captures', async (t) => {
  const { local, setup } = await open(t)
  t.match(local.ufrag, /^[A-Za-z0-9+/]{16}$/)
  t.match(local.password.reveal(), /^[A-Za-z0-9+/]{22}==$/)
  t.match(`${local.password}`, '[redacted]')
  t.match(local.fingerprint, { algorithm: 'sha-256', value: /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/ })
  t.equal(setup, 'actpass')
  t.equal(local.candidates[0]!.address, '127.0.0.1')
  t.equal(local.candidates[0]!.priority, 2122260223)
  for (const { address, port, priority } of local.candidates) {
    t.equal(port, local.port)
    t.equal(priority, isIPv6(address) ? 2122262783 : 2122260223)
  }
  const lone = await open(t, { second: undefined })
  t.equal(lone.local.candidates.length, 1)
})

for (const profile of [1, 7] as const) {
  t.test(`two transports agree on keys, SRTP profile ${profile}`, async (t) => {
    const client = await open(t, { role: 'active', profiles: [profile] })
    const server = await open(t)
    await join(t, client, server)
    client.setRemote(remoteOf(server, 'actpass'))
    server.setRemote(remoteOf(client, 'active'))
    await Promise.all([connected(client), connected(server)])
    t.equal(client.setup, 'active')
    t.equal(server.setup, 'passive')
    t.equal(client.profile, profile)
    t.equal(server.profile, profile)
    t.ok(client.handshakeMs! >= 0, `${client.handshakeMs} ms`)

    const heard: string[] = []
    const both = new Promise<void>((resolve) => {
      const note = (from: string) => (packet: Buffer) => {
        if (heard.push(`${from} ${packet.subarray(12).toString() || packet[1]}`) === 4) resolve()
      }
      client.events = { rtp: note('client rtp'), rtcp: note('client rtcp') }
      server.events = { rtp: note('server rtp'), rtcp: note('server rtcp') }
    })
    client.sendRtp(rtp(1, 'to the server'))
    server.sendRtp(rtp(1, 'to the client'))
    client.sendRtcp(RECEIVER_REPORT)
    server.sendRtcp(RECEIVER_REPORT)
    await both
    t.same(heard.sort(), [
      'client rtcp 201',
      'client rtp to the client',
      'server rtcp 201',
      'server rtp to the server',
    ])
    t.equal(client.rejected + server.rejected, 0)
  })
}

t.test('checks and a ClientHello that come before the SDP are made good', async (t) => {
  const client = await open(t, { role: 'active' })
  const server = await open(t)
  let hello: () => void = () => {}
  let hellos = 0
  const arrived = new Promise<void>((resolve) => {
    hello = resolve
  })
  await join(t, client, server, (packet) => {
    if (packet[0] === 22 && packet[13] === 1) hellos++
    setImmediate(hello)
    return 1
  })
  client.setRemote(remoteOf(server, 'actpass'))
  await arrived
  t.equal(server.state, 'new')
  server.setRemote(remoteOf(client, 'active'))
  await Promise.all([connected(client), connected(server)])
  t.equal(server.state, 'connected')
  t.equal(hellos, 2, 'one without and one with the cookie: nothing had to be repeated')
})

for (const role of ['active', 'passive'] as const) {
  t.test(`a relay that is not ready yet: late, but connected, ${role}`, async (t) => {
    const slow = await open(t, { role, delay: 300 })
    const other = role === 'active' ? 'passive' : 'active'
    const quick = await open(t, { role: other })
    await join(t, slow, quick)
    slow.setRemote(remoteOf(quick, 'actpass'))
    quick.setRemote(remoteOf(slow, role))
    await Promise.all([connected(slow), connected(quick)])
    t.ok(slow.handshakeMs! >= 200, `${slow.handshakeMs} ms`)
    const waiting = await open(t, { role, delay: 60_000 })
    waiting.setRemote(remoteOf(quick, 'actpass'))
    waiting.close()
    t.equal(waiting.state, 'closed')
  })
}

for (const role of ['active', 'passive'] as const) {
  t.test(`a certificate that the SDP does not announce is refused, ${role}`, async (t) => {
    const suspicious = await open(t, { role })
    const peer = await open(t, { role: role === 'active' ? 'passive' : 'active' })
    await join(t, suspicious, peer)
    const another = makeDtlsCertificate({ clock: systemClock, random: systemRandom })
    suspicious.setRemote({
      ufrag: peer.local.ufrag,
      setup: 'actpass',
      fingerprints: [another.fingerprint],
    })
    peer.setRemote(remoteOf(suspicious, role))
    await t.rejects(connected(suspicious), /not the one its SDP announces/)
    t.equal(suspicious.handshakeMs, undefined)
    let heard = 0
    peer.events.rtp = () => heard++
    suspicious.sendRtp(rtp(1))
    t.equal(suspicious.state, 'failed')
    t.equal(heard, 0)
  })
}

t.test('a fingerprint by another hash function counts; one by SHA-1 does not', async (t) => {
  const { matchesFingerprint } = await import('../../../src/simulator/media/certificate.ts')
  const { createHash, X509Certificate } = await import('node:crypto')
  const { cert, fingerprint } = makeDtlsCertificate({ clock: systemClock, random: systemRandom })
  const { raw } = new X509Certificate(cert)
  const by = (hash: string) => createHash(hash).update(raw).digest('hex').match(/../g)!.join(':')
  t.ok(matchesFingerprint(raw, [fingerprint]))
  t.ok(matchesFingerprint(raw, [{ algorithm: 'SHA-512', value: by('sha512') }]), 'lower case too')
  t.notOk(matchesFingerprint(raw, [{ algorithm: 'sha-1', value: by('sha1') }]))
  t.notOk(matchesFingerprint(raw, []))
})

t.test('checks are answered only when they are made with our password', async (t) => {
  const transport = await open(t)
  const { ufrag, port, password } = transport.local
  transport.setRemote({ ufrag: 'peer', setup: 'active', fingerprints: [] })
  const socket = await udpSocket(t)
  const ask = async (request: Buffer): Promise<Buffer> => {
    socket.send(request, port, '127.0.0.1')
    const [answer] = (await once(socket, 'message')) as [Buffer]
    return answer
  }
  const good = check(transport, 'peer')
  const bad = Buffer.from(good)
  bad[40]! ^= 1
  const silent: [string, Buffer][] = [
    ['no integrity', good.subarray(0, 20)],
    ['wrong integrity', bad],
    ['another user name', check(transport, 'stranger')],
    ['cut short', good.subarray(0, -4)],
  ]
  // An unanswered check shows only beside an answered one that came after it.
  for (const [name, request] of silent) {
    const sent = Buffer.from(request)
    if (sent.length === 20) sent.writeUInt16BE(0, 2)
    socket.send(sent, port, '127.0.0.1')
    const answer = parseStun(await ask(check(transport, 'peer', [])))!
    t.equal(answer.type, BINDING.success, name)
    t.ok(hasIntegrity(answer, password), name)
  }
  t.equal(transport.ice.unauthenticated, 3, 'the cut one is no message at all')
  t.equal(transport.ice.checks, silent.length)
  t.equal(transport.state, 'checking', 'nothing was nominated')
  t.match(ufrag, /./)

  const conflict = parseStun(
    await ask(check(transport, 'peer', [[ATTRIBUTE.iceControlled, Buffer.alloc(8)]])),
  )!
  t.equal(conflict.type, BINDING.error)
  t.same(conflict.attributes.get(ATTRIBUTE.errorCode)!.subarray(2, 4), Buffer.from([4, 87]))
  const unknown = parseStun(await ask(check(transport, 'peer', [[0x0033, Buffer.alloc(4)]])))!
  t.same(unknown.attributes.get(ATTRIBUTE.errorCode)!.subarray(2, 4), Buffer.from([4, 20]))
  t.same(unknown.attributes.get(ATTRIBUTE.unknownAttributes), Buffer.from([0, 0x33]))

  await ask(good)
  t.equal(transport.state, 'handshaking')
  t.equal(transport.peer?.port, socket.address().port)
  const other = await udpSocket(t)
  other.send(check(transport, 'peer', NOMINATING), port, '127.0.0.1')
  await once(other, 'message')
  t.equal(transport.peer?.port, socket.address().port, 'no change of candidates in a call')
  t.equal(transport.ice.renominations, 1)
})

t.test('strangers, garbage and packets without keys change nothing', async (t) => {
  const transport = await open(t)
  transport.events.rtp = () => t.fail('not from a stranger')
  transport.setRemote({ ufrag: 'peer', setup: 'active', fingerprints: [] })
  const { port } = transport.local
  const stranger = await udpSocket(t)
  for (const packet of [rtp(1), Buffer.from([22, 254, 253]), Buffer.from([77]), Buffer.alloc(0)]) {
    stranger.send(packet, port, '127.0.0.1')
  }
  const peer = await udpSocket(t)
  const records = Buffer.alloc(40, 22)
  for (const packet of [
    check(transport, 'peer'),
    rtp(1),
    Buffer.from([22]),
    records,
    Buffer.from([22, 254, 253, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 1, 0]),
    Buffer.from([64]),
  ]) {
    peer.send(packet, port, '127.0.0.1')
  }
  await once(peer, 'message')
  for (let round = 0; round < 10; round++) {
    for (let seed = 0; seed < 40; seed++) {
      const packet = systemRandom.bytes(13 + seed)
      packet[0] = 20 + (seed % 6)
      packet.writeUInt16BE(packet.length - 13, 11)
      peer.send(packet, port, '127.0.0.1')
    }
    peer.send(check(transport, 'peer'), port, '127.0.0.1')
    await once(peer, 'message')
  }
  t.equal(transport.rejected, 4)
  t.equal(transport.premature, 1)
  t.notOk(transport.state === 'connected')
})

t.test('hellos that are repeated and records that are lost do not end a handshake', async (t) => {
  const client = await open(t, { role: 'active' })
  const server = await open(t)
  let dropped = 0
  await join(t, client, server, (packet, from) => {
    const type = packet[0] === 22 ? packet[13] : undefined
    // The server's first flight after the cookie is lost once, so that everything is repeated.
    if (from === 'b' && type === 2 && dropped++ === 0) return 0
    return type === 1 || type === 3 ? 2 : 1
  })
  client.setRemote(remoteOf(server, 'actpass'))
  server.setRemote(remoteOf(client, 'active'))
  await Promise.all([connected(client), connected(server)])
  t.equal(dropped > 1, true)
})

t.test('a fatal alert of the peer ends the handshake', async (t) => {
  const transport = await open(t)
  transport.setRemote({ ufrag: 'peer', setup: 'active', fingerprints: [] })
  const peer = await udpSocket(t)
  peer.send(check(transport, 'peer'), transport.local.port, '127.0.0.1')
  await once(peer, 'message')
  const alert = Buffer.from([21, 254, 253, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 42])
  peer.send(alert, transport.local.port, '127.0.0.1')
  await t.rejects(connected(transport), /alert 42/)
})

t.test('SRTP that was changed on its way is rejected', async (t) => {
  const client = await open(t, { role: 'active' })
  const server = await open(t)
  await join(t, client, server, (packet, from) => {
    if (from === 'a' && packet[0]! >= 128) packet[14]! ^= 1
    return 1
  })
  client.setRemote(remoteOf(server, 'actpass'))
  server.setRemote(remoteOf(client, 'active'))
  await Promise.all([connected(client), connected(server)])
  server.events.rtp = () => t.fail('changed on its way')
  client.sendRtp(rtp(1))
  const heard = new Promise((resolve) => {
    client.events.rtp = resolve
  })
  server.sendRtp(rtp(1))
  await heard
  t.equal(server.rejected, 1)
  client.close()
  client.close()
  t.equal(client.state, 'closed')
})
