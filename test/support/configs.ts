import { NUMBER_SOURCES } from '../../src/config/route-types.ts'
import type {
  NumberConfig,
  PresentationConfig,
  TrunkConfig,
  TrunkStep,
} from '../../src/config/types.ts'
import { Secret } from '../../src/shared/secret.ts'

/** A trunk as the documentation's example has it; any field may be replaced. */
export function trunkConfig(change: Partial<TrunkConfig> = {}): TrunkConfig {
  return {
    name: 'main',
    targets: [
      {
        uri: 'sip:10.0.0.9:5060;transport=udp',
        host: '10.0.0.9',
        port: 5060,
        transport: 'udp',
        weight: 1,
      },
    ],
    register: undefined,
    credentials: undefined,
    accept: {
      from: ['10.0.0.0/24'],
      username: undefined,
      password: undefined,
      registrations: false,
    },
    media: { srtp: 'sdes', codecs: ['opus', 'PCMA', 'PCMU'], dtmf: 'rfc4733' },
    tls: undefined,
    options: { interval: 0, timeout: 4000, downAfter: 2, upAfter: 1 },
    failover: { timeout: 5000 },
    redirects: 'own',
    limits: undefined,
    outbound: { number: 'support', to: '{dialed}', by: NUMBER_SOURCES, prefixes: [] },
    presentation: presentationConfig(),
    permissions: { mode: 'off', template: undefined, text: undefined },
    ...change,
  }
}

/** The presentation a trunk has when its section says nothing. */
export function presentationConfig(change: Partial<PresentationConfig> = {}): PresentationConfig {
  return {
    numbers: 'e164',
    countryCode: undefined,
    nationalPrefix: '0',
    internationalPrefix: '00',
    identity: 'pai',
    from: 'caller',
    display: 'profile',
    userId: 'keep',
    userIdNumber: undefined,
    ...change,
  }
}

/** An overflow that names a trunk. */
export function overflowTo(trunk: string, ringTimeout = 45_000): TrunkStep[] {
  return [{ trunk, to: '{business}', from: '{caller}', ringTimeout }]
}

/** A number as the documentation's example has it; any field may be replaced. */
export function numberConfig(change: Partial<NumberConfig> = {}): NumberConfig {
  return {
    name: 'support',
    phoneNumber: '+441632960123',
    phoneNumberId: '106540352242922',
    accessToken: new Secret('token'),
    manage: 'apply',
    sipPassword: undefined,
    calling: { srtp_key_exchange_protocol: 'SDES' },
    inbound: {
      trunk: 'main',
      to: '{business}',
      from: '{caller}',
      ringTimeout: 45_000,
      overflow: [],
      earlyMedia: false,
      announcement: undefined,
      routes: [],
    },
    limits: undefined,
    ...change,
  }
}
