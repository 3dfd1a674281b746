import type { CallingConfig, Config, NumberConfig } from '../../src/config/types.ts'
import { Secret } from '../../src/shared/secret.ts'

/** A number named `support`, changed as asked. */
export function makeNumber(changes: Partial<NumberConfig> = {}): NumberConfig {
  return {
    name: 'support',
    phoneNumber: '+441632960123',
    phoneNumberId: '106540352242922',
    accessToken: new Secret('token-support'),
    manage: 'apply',
    sipPassword: undefined,
    calling: {} as CallingConfig,
    inbound: undefined,
    ...changes,
  }
}

/** A validated configuration towards a Graph API at `graphUrl`. */
export function makeConfig(
  graphUrl: string,
  numbers: NumberConfig[] = [makeNumber()],
  whatsapp: Partial<Config['whatsapp']> = {},
): Config {
  return {
    file: '/etc/causeway.yaml',
    sip: {
      domain: 'sip.example.com',
      externalAddress: undefined,
      listen: { whatsapp: { transport: 'tls', host: '127.0.0.1', port: 5061 }, pbx: [] },
      tls: undefined,
      server: { kind: 'embedded' },
    },
    media: {
      relay: 'none',
      rtpengine: [],
      listen: '127.0.0.1',
      externalAddress: undefined,
      ports: { min: 20000, max: 29999 },
      workers: 1,
      sockets: 'auto',
      transcoding: 60,
      holdMusic: undefined,
    },
    whatsapp: {
      provider: 'meta',
      graphUrl,
      graphVersion: 'v24.0',
      sipDomain: 'wa.meta.vc',
      sipProxy: 'sip:wa.meta.vc:5061;transport=tls',
      ca: undefined,
      sources: 'any',
      challenge: true,
      checkInterval: 0,
      credentialsInterval: 0,
      webhooks: undefined,
      ...whatsapp,
    },
    numbers,
    trunks: [],
    limits: { calls: 1000, callsPerNumber: 1000, invitesPerSecond: 100 },
    http: { listen: { host: '127.0.0.1', port: 0 }, token: undefined },
    events: { webhooks: [] },
    records: { path: 'data', secret: undefined },
    log: { level: 'silent', numbers: 'full' },
    trace: { messages: 'off', keep: 100, calls: 1000, memory: 67_108_864, hep: undefined },
    telemetry: undefined,
  }
}
