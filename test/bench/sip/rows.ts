import { join } from 'node:path'
import { startAsterisk } from '../../peers/support/asterisk.ts'
import { startKamailio } from '../../peers/support/kamailio.ts'
import { businessInitiated, userInitiated } from './causeway.ts'
import { type BenchPeer, type BenchRow, PLAIN, SDES } from './peer.ts'

const here = import.meta.dirname
const plain = { caller: 'uac.xml', callee: 'uas.xml', service: '+441632960123', keys: PLAIN }

/** Caller to callee with nothing between: what SIPp itself takes. */
export const direct: BenchRow = { name: 'direct', ...plain }

/** Every row that can be asked for. */
export const rows: readonly BenchRow[] = [
  { name: 'causeway', ...plain, keys: SDES, start: userInitiated },
  {
    name: 'causeway-business',
    caller: 'uac.xml',
    callee: 'uas-whatsapp.xml',
    service: '+33199001234',
    keys: SDES,
    start: businessInitiated,
  },
  { name: 'asterisk', ...plain, start: asterisk },
  { name: 'kamailio', ...plain, start: kamailio },
]

/** A back-to-back user agent in the media path; two RTP ports for each of two legs of a held call. */
async function asterisk(peerPort: number): Promise<BenchPeer> {
  const peer = await startAsterisk({
    peerPort,
    configuration: join(here, 'asterisk'),
    rtpPorts: 22_000,
  })
  return { pid: peer.pid, port: peer.sipPort, stop: () => peer.stop() }
}

/** A stateful, record-routing proxy. */
async function kamailio(peerPort: number): Promise<BenchPeer> {
  const peer = await startKamailio({ configuration: join(here, 'kamailio'), peerPort })
  return { pid: peer.pid, port: peer.sipPort, stop: () => peer.stop() }
}
