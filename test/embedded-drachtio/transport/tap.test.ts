import t from 'tap'
import type { Flow } from '../../../src/embedded-drachtio/message/index.ts'
import { MessageTap, type TapBatch } from '../../../src/embedded-drachtio/transport/index.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { openLayer, request, send, targetOf } from './support.ts'

const flow: Flow = {
  transport: 'tls',
  id: 1,
  localAddress: '10.0.0.5',
  localPort: 5061,
  remoteAddress: '10.0.0.9',
  remotePort: 40_000,
}

const WIRE = {
  transport: 'tls',
  localAddress: '10.0.0.5',
  localPort: 5061,
  remoteAddress: '10.0.0.9',
  remotePort: 40_000,
} as const

function tapped() {
  const clock = new FakeClock()
  const batches: TapBatch[] = []
  const tap = new MessageTap(clock, (batch) => batches.push(batch))
  return { clock, batches, tap }
}

t.test('messages go in batches, with their own times and addresses', async (t) => {
  const { clock, batches, tap } = tapped()
  const began = clock.now()
  tap.see('in', Buffer.from('INVITE'), flow)
  clock.advance(5)
  tap.see('out', Buffer.from('SIP/2.0 ä'), flow)
  clock.advance(14)
  t.equal(batches.length, 0)
  clock.advance(1)
  t.same(batches, [
    {
      messages: [
        { ...WIRE, at: began, dir: 'in', text: 'INVITE' },
        { ...WIRE, at: began + 5, dir: 'out', text: 'SIP/2.0 ä' },
      ],
      bytes: 16,
      lost: 0,
    },
  ])
  clock.advance(1000)
  t.equal(batches.length, 1, 'nothing is told of nothing')
  t.equal(clock.pending, 0)
})

t.test('a copy: what becomes of the buffer afterwards is nothing to it', async (t) => {
  const { batches, tap } = tapped()
  const bytes = Buffer.from('INVITE')
  tap.see('in', bytes, flow)
  bytes.fill(0)
  tap.flush()
  t.equal(batches[0]?.messages[0]?.text, 'INVITE')
})

t.test('who does not keep up loses messages, counted, until he does', async (t) => {
  const { batches, tap } = tapped()
  const large = Buffer.alloc(1024 * 1024)
  for (let i = 0; i < 18; i++) tap.see('in', large, flow)
  t.equal(batches.length, 16, 'each large one is a batch of its own')
  tap.taken(batches[0]!.bytes)
  tap.see('in', large, flow)
  t.equal(batches.length, 17)
  t.equal(batches[16]?.lost, 2)
})

t.test(
  'every message in and out of a layer, by every transport, those that do not parse too',
  async (t) => {
    const listeners = (['udp', 'tcp'] as const).map((transport) => ({
      transport,
      host: '127.0.0.1',
      port: 0,
    }))
    const far = await openLayer(t, { listeners })
    const near = await openLayer(t, { listeners })
    const told: { near: string[]; far: string[] } = { near: [], far: [] }
    const taps = (['near', 'far'] as const).map((side) => {
      const take = ({ messages }: TapBatch): void => {
        for (const { dir, transport, text } of messages) {
          told[side].push(`${dir} ${transport} ${text.split(' ')[0]}`)
        }
      }
      return new MessageTap(new FakeClock(), take)
    })
    near.layer.tap(taps[0])
    far.layer.tap(taps[1])
    for (const transport of ['udp', 'tcp'] as const) {
      const flow = await send(
        near.layer,
        targetOf(far.layer, transport),
        request(transport, '127.0.0.1'),
      )
      t.equal(flow.transport, transport)
    }
    const { flow } = await far.heard.message(2)
    const via = { host: '127.0.0.1', port: undefined, received: undefined, rport: flow.remotePort }
    far.layer.sendResponse(
      flow,
      via,
      Buffer.from('SIP/2.0 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n'),
    )
    await near.heard.until(() => near.heard.errors.length > 0)
    near.layer.tap(undefined)
    far.layer.tap(undefined)
    t.same(told.near, ['out udp OPTIONS', 'out tcp OPTIONS', 'in tcp SIP/2.0'])
    t.same(told.far.sort(), ['in tcp OPTIONS', 'in udp OPTIONS', 'out tcp SIP/2.0'])
    await send(near.layer, targetOf(far.layer, 'udp'), request('udp', '127.0.0.1'))
    await far.heard.message(3)
    t.equal(told.near.length + told.far.length, 6, 'nothing more is told')
  },
)
