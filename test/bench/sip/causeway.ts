import { type CausewayPorts, causewayPorts, startCauseway } from '../../peers/support/causeway.ts'
import { freePort } from '../../peers/support/ports.ts'
import { liveHeap } from './inspector.ts'
import type { BenchPeer } from './peer.ts'

/** Password of the business number, known to both sides. */
export const PASSWORD = 'bench-password'

/** WhatsApp's side calls, the callee is the PBX. */
export async function userInitiated(calleePort: number, collects = false): Promise<BenchPeer> {
  const ports = await causewayPorts()
  const peer = await start(ports, { whatsappPort: 9, pbxPort: calleePort, collects })
  return { ...peer, port: ports.whatsapp }
}

/** The PBX calls, the callee is WhatsApp and challenges every INVITE. */
export async function businessInitiated(calleePort: number, collects = false): Promise<BenchPeer> {
  const ports = await causewayPorts()
  const peer = await start(ports, { whatsappPort: calleePort, pbxPort: 9, collects })
  return { ...peer, port: ports.pbx }
}

/** UDP on both sides, as with the other peers; SDP passed through; limits out of the way. */
async function start(
  ports: CausewayPorts,
  peers: { whatsappPort: number; pbxPort: number; collects: boolean },
): Promise<BenchPeer> {
  const many = 100_000
  const inspect = peers.collects ? await freePort() : undefined
  const causeway = await startCauseway({
    ports,
    ...(inspect === undefined ? {} : { inspect }),
    config: {
      sip: {
        domain: 'bench.example.com',
        listen: {
          whatsapp: `udp://127.0.0.1:${ports.whatsapp}`,
          pbx: [`udp://127.0.0.1:${ports.pbx}`],
        },
      },
      media: { relay: 'none' },
      whatsapp: {
        sip_proxy: `sip:127.0.0.1:${peers.whatsappPort};transport=udp`,
        sources: 'any',
        challenge: false,
      },
      numbers: [
        {
          name: 'bench',
          phone_number: '+441632960123',
          phone_number_id: '106540352242922',
          manage: 'off',
          sip_password: PASSWORD,
          calling: { audio: { additional_codecs: ['PCMA'] } },
          inbound: { trunk: 'pbx' },
        },
      ],
      trunks: [
        {
          name: 'pbx',
          targets: [`sip:127.0.0.1:${peers.pbxPort};transport=udp`],
          accept: { from: ['127.0.0.0/8'] },
          media: { srtp: 'sdes', codecs: ['PCMA'] },
          outbound: { number: 'bench' },
        },
      ],
      limits: { calls: many, calls_per_number: many, invites_per_second: many },
      http: { listen: `127.0.0.1:${ports.http}` },
      log: { level: 'warn' },
    },
  })
  return {
    pid: causeway.pid,
    port: 0,
    ...(inspect === undefined ? {} : { collect: () => liveHeap(inspect) }),
    stop: () => causeway.stop(),
  }
}
