import t from 'tap'
import { DtlsMediaTransport } from '../../../src/simulator/media/dtls.ts'
import { cleanup, DataChannelBusiness } from './libdatachannel.ts'

function describe(transport: DtlsMediaTransport): string {
  const { local, setup } = transport
  return [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    'a=ice-lite',
    `m=audio ${local.port} UDP/TLS/RTP/SAVPF 111`,
    'c=IN IP4 127.0.0.1',
    `a=candidate:1 1 udp 2122260223 127.0.0.1 ${local.port} typ host generation 0 network-cost 50`,
    `a=ice-ufrag:${local.ufrag}`,
    `a=ice-pwd:${local.password.reveal()}`,
    `a=fingerprint:sha-256 ${local.fingerprint.value}`,
    `a=setup:${setup}`,
    'a=mid:audio',
    'a=sendrecv',
    'a=rtcp-mux',
    'a=rtpmap:111 opus/48000/2',
    '',
  ].join('\r\n')
}

function take(transport: DtlsMediaTransport, sdp: string, lie = ''): void {
  const find = (pattern: RegExp): string => pattern.exec(sdp)?.[1] ?? ''
  transport.setRemote({
    ufrag: find(/^a=ice-ufrag:(\S+)/m),
    setup: find(/^a=setup:(\w+)/m) as 'active',
    fingerprints: [{ algorithm: 'sha-256', value: lie || find(/^a=fingerprint:sha-256 (\S+)/im) }],
  })
}

const PACKET = Buffer.from([0x80, 111, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4])

for (const [offerer, role] of [
  ['WhatsApp', 'passive'],
  ['business', 'passive'],
  ['business', 'active'],
] as const) {
  t.test(`libdatachannel as the business, offer of ${offerer}, WhatsApp ${role}`, async (t) => {
    const transport = await DtlsMediaTransport.open({ role, second: undefined })
    const business = new DataChannelBusiness()
    t.teardown(() => {
      business.close()
      transport.close()
    })
    const up = new Promise<void>((resolve, reject) => {
      transport.events.state = (state, reason) => {
        if (state === 'connected') resolve()
        if (state === 'failed') reject(new Error(reason))
      }
    })
    const open = new Promise<void>((resolve) => business.track.onOpen(resolve))
    if (offerer === 'WhatsApp') {
      take(transport, await business.answer(describe(transport)))
    } else {
      take(transport, await business.offer())
      business.accept(describe(transport))
    }
    await Promise.all([up, open])
    t.equal(transport.setup, role)
    t.type(transport.handshakeMs, 'number')
    const here = new Promise<Buffer>((resolve) => {
      transport.events.rtp = (packet) => resolve(Buffer.from(packet))
    })
    const there = new Promise<Buffer>((resolve) => business.track.onMessage(resolve))
    business.track.sendMessageBinary(PACKET)
    transport.sendRtp(PACKET)
    t.same(await here, PACKET)
    t.same(Buffer.from(await there), PACKET)
    t.equal(transport.rejected, 0)
    t.equal(transport.ice.roleConflicts, 0)
  })
}

t.test('libdatachannel with another certificate than announced is refused', async (t) => {
  const transport = await DtlsMediaTransport.open({ second: undefined })
  const business = new DataChannelBusiness()
  t.teardown(() => {
    business.close()
    transport.close()
  })
  const refused = new Promise<string | undefined>((resolve) => {
    transport.events.state = (state, reason) => {
      if (state === 'failed') resolve(reason)
    }
  })
  take(transport, await business.answer(describe(transport)), `AB:${'00:'.repeat(30)}CD`)
  t.match(await refused, /not the one its SDP announces/)
})

// Its threads would keep the process.
t.teardown(() => cleanup())
