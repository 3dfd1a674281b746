import t from 'tap'
import { bench } from './contract/cases.ts'
import { Calls, sdp } from './contract/srf.ts'
import { openServer } from './support.ts'

const { server, address } = await openServer({ tellTrying: true })
t.teardown(() => server.close())

t.test(
  'the 100 to the INVITE of a call is told where that is wanted, and makes no dialog',
  async (t) => {
    const { app: connect, peer: open } = bench(t, address)
    const app = await connect()
    const peer = await open()
    const progress = new Calls<number>()
    const pending = app.createUAC(
      `sip:bob@${peer.hostport}`,
      { localSdp: sdp(4000) },
      { cbProvisional: ({ status }) => progress.add(status) },
    )
    const invite = await peer.expect('INVITE')
    // RFC 3261 §8.2.6.2: a 100 may have a tag.
    peer.respond(invite, 100, { tag: 'proxy' })
    t.equal(await progress.next(), 100)
    t.equal(server.metrics().now.dialogs, 0)
    const headers = { Contact: peer.contact }
    peer.respond(invite, 180, { tag: 'callee', headers })
    t.equal(await progress.next(), 180)
    peer.respond(invite, 200, { tag: 'callee', headers, body: sdp(6000) })
    const dialog = await pending
    await peer.expect('ACK')

    const modified = dialog.modify(sdp(4002))
    const again = await peer.expect('INVITE')
    peer.respond(again, 100)
    peer.respond(again, 200, { headers, body: sdp(6002) })
    await modified
    await peer.expect('ACK')
    t.equal(dialog.remote.sdp, sdp(6002))

    const ended = dialog.destroy()
    peer.respond(await peer.expect('BYE'), 200)
    await ended
  },
)
