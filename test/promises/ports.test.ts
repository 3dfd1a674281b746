import { createSocket, type Socket } from 'node:dgram'
import t from 'tap'
import { until } from '../support/until.ts'
import { MEDIA_ADDRESS, startLab } from '../support/whole-lab.ts'

/** The first of `count` UDP ports in a row that are free, below those the system hands out. */
async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = 30_000 + 2 * Math.floor(Math.random() * 1380)
    const sockets: Socket[] = []
    const bind = (port: number): Promise<boolean> =>
      new Promise((resolve) => {
        const socket = createSocket('udp4')
        sockets.push(socket)
        socket.once('error', () => resolve(false))
        socket.bind(port, MEDIA_ADDRESS, () => resolve(true))
      })
    const free = await Promise.all(Array.from({ length: count }, (_, i) => bind(first + i)))
    for (const [i, socket] of sockets.entries()) if (free[i]) socket.close()
    if (!free.includes(false)) return first
  }
}

const used = 'media_ports{state="used"}'
const cooling = 'media_ports{state="cooling"}'

t.jobs = 2

// A call takes two ports for each leg. With six, the second call fails at its second leg.
for (const ports of [4, 6]) {
  t.test(`one call more than ${ports} ports bear`, { buffered: true }, async (t) => {
    const first = await freeRange(ports)
    const lab = await startLab(t, { media: { ports: `${first}-${first + ports - 1}` } })
    const talk = await lab.talk({ direction: 'in', number: 'sdes' })

    const number = lab.simulator.store.lookupNumberByPhone(lab.phoneNumber('sdes'))!
    lab.simulator.store.grantPermission(number, '+33199555556', true)
    const refused = lab.pbx.call('+33199555556')
    await until('the refusal of the PBX', () => refused.state === 'ended')
    t.equal(refused.status, 503)
    t.match(refused.headers, { warning: /MEDIA_PORTS_EXHAUSTED/, reason: /cause=34/ })

    const inwards = lab.simulator.sip.placeCall({
      from: '+33199555555',
      to: lab.phoneNumber('sdes'),
    })
    await inwards.until(() => false)
    t.match(inwards.outcome, { status: 503 })
    t.same(inwards.violations, [])
    t.match(lab.record('+33199555555')?.cause, { code: 'MEDIA_PORTS_EXHAUSTED', result: 'failed' })

    await talk.heard()
    await talk.finish(t, 'pbx')
    await lab.nothingHeld(t)
    t.equal(await lab.metric(used), 0)
    t.ok(((await lab.metric(cooling)) ?? 0) > 0, 'ports rest after a call')
    await until('cool ports', async () => (await lab.metric(cooling)) === 0)
    const again = await lab.talk({ direction: 'out', number: 'sdes' })
    await again.finish(t, 'whatsapp')
    await lab.nothingHeld(t)
  })
}
