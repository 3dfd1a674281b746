import type { Test } from 'tap'
import { createBridge, DrachtioPort } from '../../src/bridge/index.ts'
import { CallRegistry } from '../../src/calls/index.ts'
import type { Config } from '../../src/config/types.ts'
import { createSipServer, type SipServerOptions } from '../../src/embedded-drachtio/index.ts'
import { createNoneRelay, type MediaRelay } from '../../src/media/index.ts'
import { systemClock } from '../../src/shared/clock.ts'
import { silentLogger } from '../../src/shared/log.ts'
import { systemRandom } from '../../src/shared/random.ts'
import { Secret } from '../../src/shared/secret.ts'
import { FakeCredentials, labConfig } from './bridge-lab.ts'
import { makeCa, makeCert, writeCertificate } from './certificates.ts'
import { trunkConfig } from './configs.ts'
import { SipPeer } from './sip-peer.ts'
import { WhatsAppPeer } from './whatsapp-peer.ts'

/**
 * A bridge on real sockets: drachtio-srf on the embedded server, wa.meta.vc and a PBX as scripted
 * peers on loopback. All is closed with the test.
 *
 * @param streams further listeners for the PBX
 */
export async function bridgeNetwork(
  t: Test,
  change: Partial<Config> = {},
  media: MediaRelay = createNoneRelay(systemRandom),
  streams: readonly ('tcp' | 'tls')[] = [],
  sip: Partial<SipServerOptions> = {},
) {
  const ca = makeCa()
  const whatsapp = await WhatsAppPeer.open(makeCert({ ca, dns: ['wa.meta.vc'] }))
  const pbx = await SipPeer.open()
  const files = writeCertificate(makeCert({ ca, dns: ['sip.example.com'] }))
  const secret = new Secret('cymru')
  const log = silentLogger()
  const server = await createSipServer({
    admin: { host: '127.0.0.1', port: 0, secret },
    listeners: [
      { transport: 'tls', host: '127.0.0.1', port: 0, tls: { cert: files.cert, key: files.key } },
      { transport: 'udp', host: '127.0.0.1', port: 0 },
      ...streams.map((transport) => ({
        transport,
        host: '127.0.0.1',
        port: 0,
        tls: transport === 'tls' ? { cert: files.cert, key: files.key } : undefined,
      })),
    ],
    tlsClient: { ca: [ca.cert] },
    overrides: new Map([['wa.meta.vc', `sip:127.0.0.1:${whatsapp.port};transport=tls`]]),
    flowEnded: (ended) => bridge.flowEnded(ended),
    log,
    ...sip,
  })
  const [tls, udp, ...others] = server.listeners()
  const target = {
    uri: `sip:${pbx.hostport};transport=udp`,
    host: pbx.host,
    port: pbx.port,
    transport: 'udp' as const,
    weight: 1,
  }
  const listen = {
    whatsapp: { transport: 'tls' as const, host: '127.0.0.1', port: 0 },
    pbx: [{ transport: 'udp' as const, host: '127.0.0.1', port: 0 }],
  }
  const base = labConfig()
  const config: Config = {
    ...base,
    sip: { ...base.sip, listen },
    whatsapp: { ...base.whatsapp, sources: ['127.0.0.0/8'] },
    trunks: [
      trunkConfig({
        targets: [target],
        accept: { ...trunkConfig().accept, from: ['127.0.0.0/8'] },
      }),
    ],
    ...change,
  }
  const calls = new CallRegistry(systemClock)
  const credentials = new FakeCredentials()
  const bridge = createBridge({
    port: new DrachtioPort({ ...server.admin, secret }),
    config,
    listeners: {
      whatsapp: { ...listen.whatsapp, port: tls!.port },
      pbx: [{ ...listen.pbx[0]!, port: udp!.port }, ...others],
    },
    credentials,
    media,
    calls,
    keepsFlows: true,
    clock: systemClock,
    random: systemRandom,
    log,
  })
  await bridge.start()
  await whatsapp.dial(tls!.port, ca.cert, 'sip.example.com')
  t.teardown(async () => {
    await bridge.stop()
    await server.close()
    await whatsapp.close()
    await pbx.close()
  })
  const pbxAddress = { host: '127.0.0.1', port: udp!.port }
  const ended = (): Promise<void> =>
    new Promise((resolve) => {
      if (calls.size === 0) resolve()
      else calls.subscribe({ ended: () => resolve() })
    })
  return {
    bridge,
    ca,
    calls,
    credentials,
    ended,
    pbx,
    pbxAddress,
    server,
    /** Ports of `streams`. */
    streamPorts: others.map(({ port }) => port),
    tlsPort: tls!.port,
    whatsapp,
  }
}
