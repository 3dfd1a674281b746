import t, { type Test } from 'tap'
import type { LegShape, LegTransport } from '../../../src/media/anchor/types.ts'
import type { AudioDescription } from '../../../src/media/sdp/types.ts'
import { Outbox } from '../../../src/media-relay/io/outbox.ts'
import { TRAILER, type Wire } from '../../../src/media-relay/io/types.ts'
import { createUdpWire } from '../../../src/media-relay/io/udp-wire.ts'
import { PortTable } from '../../../src/media-relay/ports/port-table.ts'
import { createSocketPool } from '../../../src/media-relay/ports/sockets.ts'
import type { UdpStack } from '../../../src/media-relay/udp/index.ts'
import { systemRandom } from '../../../src/shared/random.ts'
import { Secret } from '../../../src/shared/secret.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { legShape, RtpPeer, SDES } from '../../support/rtp-peer.ts'
import { openStack, STACKS, type StackName } from '../udp/stacks.ts'

/** A wire on loopback that keeps what it hands up. */
class WireLab {
  readonly heard: string[] = []
  readonly reports: Buffer[] = []
  ready = 0
  readonly wire: Wire
  readonly table: PortTable
  readonly #waiting: (() => void)[] = []
  #sequence = 0

  constructor(stack: UdpStack, listen = '127.0.0.1', externalAddress?: string) {
    const range = { min: 20_000, max: 29_999 }
    this.table = new PortTable(range, { clock: new FakeClock(), random: systemRandom })
    this.wire = createUdpWire({
      sockets: createSocketPool(this.table, listen, stack),
      outbox: new Outbox((then) => stack.afterSockets(then)),
      listen,
      externalAddress,
      random: systemRandom,
      ssrc: 7,
      cname: 'lab',
      events: {
        onRtp: (packet, length) => {
          this.heard.push(packet.toString('latin1', 12, length))
          for (const wake of this.#waiting.splice(0)) wake()
        },
        onRtcp: (packet, length) => {
          this.reports.push(Buffer.from(packet.subarray(0, length)))
          for (const wake of this.#waiting.splice(0)) wake()
        },
        onReady: () => {
          this.ready++
        },
        onFailed: () => {},
      },
    })
  }

  /** Resolves when the condition holds; looks after each packet. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  send(text: string): void {
    const slot = Buffer.alloc(12 + text.length + TRAILER)
    slot[0] = 0x80
    slot[1] = 111
    slot.writeUInt16BE(this.#sequence++, 2)
    slot.writeUInt32BE(7, 8)
    slot.write(text, 12)
    this.wire.sendRtp(slot, 12 + text.length)
  }
}

/** Makes wires over a stack. */
function labs(stackName: StackName) {
  return async (t: Test, listen?: string, externalAddress?: string): Promise<WireLab> => {
    const stack = await openStack(stackName)
    const lab = new WireLab(stack, listen, externalAddress)
    t.teardown(async () => {
      await lab.wire.close()
      stack.close()
    })
    return lab
  }
}

async function peer(t: Test, options: Parameters<typeof RtpPeer.open>[0] = {}): Promise<RtpPeer> {
  const peer = await RtpPeer.open(options)
  t.teardown(() => peer.close())
  return peer
}

/** Connects a peer to a wire by our answer to its offer. */
async function answer(
  lab: WireLab,
  peer: RtpPeer,
  shape: LegShape = legShape(),
  changes: Partial<AudioDescription> = {},
): Promise<LegTransport> {
  const transport = await lab.wire.answer(peer.describe(changes), shape)
  peer.connect(transport)
  return transport
}

for (const stack of STACKS) t.test(`over the ${stack} stack`, (t) => wires(t, labs(stack)))

async function wires(t: Test, lab: ReturnType<typeof labs>): Promise<void> {
  t.test(
    'a plain leg hears the address of the description from any port, then from one',
    async (t) => {
      const relay = await lab(t)
      const [announced, real, other] = [await peer(t), await peer(t), await peer(t)]
      const transport = await answer(relay, announced)
      t.equal(relay.ready, 1)
      real.connect(transport)
      other.connect(transport)

      relay.send('before')
      await announced.hear(1)
      // A NAT may have changed the port.
      real.say('first')
      await relay.until(() => relay.heard.length === 1)
      relay.send('after')
      await real.hear(1)
      t.equal(real.heard[0]?.payload.toString(), 'after', 'packets go where they come from')

      other.say('stranger')
      real.say('second')
      await relay.until(() => relay.heard.length === 2)
      t.same(relay.heard, ['first', 'second'])
      t.match(relay.wire.facts(), {
        wrongSource: 1,
        strange: `127.0.0.1:${other.port}`,
        remote: `127.0.0.1:${real.port}`,
      })
    },
  )

  t.test('the very address of the description is believed whenever it comes', async (t) => {
    const relay = await lab(t)
    const [announced, early] = [await peer(t), await peer(t)]
    early.connect(await answer(relay, announced))
    early.say('early')
    await relay.until(() => relay.heard.length === 1)
    announced.say('announced')
    await relay.until(() => relay.heard.length === 2)
    early.say('late')
    announced.say('again')
    await relay.until(() => relay.heard.length === 3)
    t.same(relay.heard, ['early', 'announced', 'again'])
  })

  t.test('a plain leg hears no other address', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t)
    const stranger = await peer(t, { address: '127.0.0.2' })
    stranger.connect(await answer(relay, remote))
    stranger.say('stranger')
    remote.say('remote')
    await relay.until(() => relay.heard.length === 1)
    t.same(relay.heard, ['remote'])
    t.match(relay.wire.facts(), { wrongSource: 1, strange: `127.0.0.2:${stranger.port}` })
  })

  t.test('a later offer opens the source anew, once', async (t) => {
    const relay = await lab(t)
    const [first, second] = [await peer(t), await peer(t)]
    const transport = await answer(relay, first)
    second.connect(transport)
    first.say('one')
    await relay.until(() => relay.heard.length === 1)
    t.equal((await answer(relay, first)).port, transport.port, 'the port stays')
    first.say('straggler')
    second.say('two')
    await relay.until(() => relay.heard.length === 3)
    first.say('announced')
    second.say('three')
    await relay.until(() => relay.heard.length === 4)
    t.same(relay.heard, ['one', 'straggler', 'two', 'announced'])
  })

  t.test('another address in a later offer is sent to at once', async (t) => {
    const relay = await lab(t)
    const first = await peer(t)
    const moved = await peer(t, { address: '127.0.0.2' })
    await answer(relay, first)
    first.say('one')
    await relay.until(() => relay.heard.length === 1)
    await answer(relay, moved)
    relay.send('to the new address')
    await moved.hear(1)
    moved.say('two')
    await relay.until(() => relay.heard.length === 2)
    first.say('gone')
    moved.say('three')
    await relay.until(() => relay.heard.length === 3)
    t.same(relay.heard, ['one', 'two', 'three'])
  })

  t.test('nothing is sent to nobody', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t)
    await answer(relay, remote)
    t.equal(relay.wire.ready, true)
    for (const held of [{ address: '0.0.0.0' }, { port: 0 }, { address: 'pbx.example.com' }]) {
      await answer(relay, remote, legShape(), held)
      t.equal(relay.wire.ready, false)
      relay.send('unsent')
    }
    // On hold it may still be heard: music from where it was.
    remote.say('music')
    await relay.until(() => relay.heard.length === 1)
    await answer(relay, remote)
    relay.send('resumed')
    await remote.hear(1)
    t.equal(remote.heard[0]?.payload.toString(), 'resumed')
  })

  t.test(
    'an SDES leg learns its source from an authentic packet alone, from anywhere',
    async (t) => {
      const relay = await lab(t)
      const announced = await peer(t, { secure: true, seed: 3 })
      const real = await peer(t, { secure: true, seed: 3, address: '127.0.0.3' })
      const forger = await peer(t, { secure: true, seed: 4 })
      const plain = await peer(t)
      const transport = await answer(relay, announced, SDES)
      for (const one of [real, forger, plain]) one.connect(transport)
      forger.say('forged')
      plain.say('plain')
      real.say('real')
      await relay.until(() => relay.heard.length === 1)
      relay.send('back')
      await real.hear(1)
      t.same(relay.heard, ['real'])
      t.equal(real.heard[0]?.payload.toString(), 'back')
      t.match(relay.wire.facts(), {
        suite: 'AES_CM_128_HMAC_SHA1_80',
        remote: `127.0.0.3:${real.port}`,
      })
      t.ok(relay.wire.facts().auth >= 1)
    },
  )

  t.test('a repeated packet is discarded', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t, { secure: true })
    await answer(relay, remote, SDES)
    const said = remote.say('once')
    remote.send(said)
    remote.say('twice')
    await relay.until(() => relay.heard.length === 2)
    t.same(relay.heard, ['once', 'twice'])
    t.equal(relay.wire.facts().replayed, 1)
  })

  t.test('our offer with several suites: the answer decides', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t, { secure: true })
    const suites = ['AES_256_CM_HMAC_SHA1_80', 'AES_CM_128_HMAC_SHA1_80'] as const
    const offer = await relay.wire.offer(legShape({ keying: 'sdes', suites, rtcpMux: true }))
    t.same(
      offer.crypto.map(({ tag, suite }) => [tag, suite]),
      [
        [1, suites[0]],
        [2, suites[1]],
      ],
    )
    t.equal(offer.rtcpPort, offer.port + 1, 'kept until the answer says that one port does')
    t.equal(relay.wire.ready, false)
    remote.connect(offer)
    await relay.wire.accept(remote.describe({ crypto: [{ ...remote.crypto!, tag: 2 }] }))
    t.match(relay.table.counts(), { used: 1, cooling: 1 })
    relay.send('hello')
    await remote.hear(1)
    remote.say('hello too')
    await relay.until(() => relay.heard.length === 1)
    t.same(relay.heard, ['hello too'])
    t.equal(remote.refused, 0)
  })

  t.test('a line that cannot be used is refused and changes nothing', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t, { secure: true })
    await answer(relay, remote, SDES)
    const { crypto } = remote
    for (const broken of [
      { ...crypto!, key: new Secret('c2hvcnQ=') },
      { ...crypto!, suite: 'F8_128_HMAC_SHA1_80' },
      { ...crypto!, mki: '1:1000' },
    ]) {
      await t.rejects(relay.wire.answer(remote.describe({ crypto: [broken] }), SDES), {
        code: 'MEDIA_SRTP_KEY',
        sip: 488,
      })
    }
    await t.rejects(relay.wire.answer(remote.describe({ crypto: [] }), SDES), {
      code: 'MEDIA_SRTP_KEY',
    })
    remote.say('still heard')
    await relay.until(() => relay.heard.length === 1)
    relay.send('still sent')
    await remote.hear(1)
    t.equal(remote.refused, 0)
  })

  t.test('another key in a later offer, and the same one', async (t) => {
    const relay = await lab(t)
    const first = await peer(t, { secure: true, seed: 5 })
    const second = await peer(t, { secure: true, seed: 6 })
    const line = (await answer(relay, first, SDES)).crypto[0]!
    first.say('one')
    await relay.until(() => relay.heard.length === 1)
    const again = await relay.wire.answer(first.describe(), SDES)
    t.equal(again.crypto[0]!.key.reveal(), line.key.reveal(), 'our key stays')
    first.say('two')
    await relay.until(() => relay.heard.length === 2)
    await answer(relay, second, SDES)
    second.say('three')
    await relay.until(() => relay.heard.length === 3)
    first.say('old key')
    second.say('four')
    await relay.until(() => relay.heard.length === 4)
    t.same(relay.heard, ['one', 'two', 'three', 'four'])
  })

  t.test('RTCP on its own port comes and goes there', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t)
    const reports = await peer(t)
    const transport = await answer(relay, remote, legShape({ rtcpMux: false }), {
      rtcpMux: false,
      rtcp: { port: reports.port, address: undefined },
    })
    t.equal(transport.rtcpPort, transport.port + 1)
    const report = Buffer.from('80c90001000000ff', 'hex')
    const slot = Buffer.alloc(report.length + TRAILER)
    report.copy(slot)
    relay.wire.sendRtcp(slot, report.length)
    await reports.hear(() => reports.reports.length === 1)
    t.same(reports.reports[0], report)
    reports.connect({ ...transport, port: transport.rtcpPort! })
    reports.sendRaw(report)
    await relay.until(() => relay.reports.length === 1)
    t.same(relay.reports[0], report)
  })

  t.test('IPv6, however it is written', async (t) => {
    const relay = await lab(t, '::1')
    const remote = await peer(t, { address: '::1' })
    const transport = await answer(relay, remote, SDES, {
      address: '0:0:0:0:0:0:0:1',
      crypto: [(await peer(t, { secure: true })).crypto!],
    })
    t.match(transport, { address: '::1', family: 6 })
    relay.send('six')
    await remote.hear(1)
    const plain = await lab(t, '::1')
    await answer(plain, remote, legShape(), { address: '0:0:0:0:0:0:0:1' })
    remote.say('six')
    await plain.until(() => plain.heard.length === 1)
    t.equal(plain.wire.facts().remote, `[::1]:${remote.port}`)
  })

  t.test('the external address is named to who comes from outside', async (t) => {
    const relay = await lab(t, '127.0.0.1', '203.0.113.10')
    const remote = await peer(t)
    const inside = await relay.wire.answer(remote.describe(), legShape())
    t.equal(inside.address, '127.0.0.1')
    const outside = await relay.wire.answer(remote.describe(), legShape({ external: true }))
    t.equal(outside.address, '203.0.113.10')
  })

  t.test('closing is final, and at any moment', async (t) => {
    const relay = await lab(t)
    const remote = await peer(t)
    const opening = relay.wire.answer(remote.describe(), legShape())
    const refused = t.rejects(opening, { code: 'MEDIA_RELAY_LOST' })
    await relay.wire.close()
    await refused
    t.match(relay.table.counts(), { used: 0 })
    relay.send('unsent')
    relay.wire.sendRtcp(Buffer.alloc(8), 8)
    t.equal(relay.wire.ready, false)
  })
}
