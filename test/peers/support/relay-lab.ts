import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { type CallRecord, type Simulator, startSimulator } from '../../../src/simulator/index.ts'
import { type Causeway, causewayPorts, startCauseway } from './causeway.ts'
import { configuration, DOMAIN, managedNumber } from './configuration.ts'
import { peersFolder } from './install.ts'
import { until } from './until.ts'

/** What a lab is made for. */
export interface RelayLabOptions {
  /** The `media` part of the configuration. */
  media: object
  /** SIP port of the PBX, by UDP, its address, default 127.0.0.1, and whom it expects calls for. */
  pbx: { port: number; host?: string; user?: string }
  /** Protection and codecs of the trunk. */
  trunk: object
  /** Key exchange of the number. Default SDES. */
  whatsapp?: 'SDES' | 'DTLS'
  /** Chosen before, where the PBX has to know them. */
  ports?: Awaited<ReturnType<typeof causewayPorts>>
  /** Whether WhatsApp ends a call whose media breaks its rules. Default true. */
  strict?: boolean
  /** Address Causeway listens on for the PBX. Default 127.0.0.1. */
  listen?: string
}

/** Simulator and `causeway up`, connected, for calls between WhatsApp and a PBX of the test's own. */
export interface RelayLab {
  simulator: Simulator
  causeway: Causeway
  /** The business number. */
  business: string
  /** A call of a consumer to the number. */
  place(): CallRecord
  /** Gives the business the permission to call; the consumer's next call comes by the promise. */
  expect(consumer: string): Promise<CallRecord>
  /** Half a second more of a tone reaches the consumer. */
  hears(call: CallRecord, frequency: number): Promise<void>
  /** A relay's row in /healthz. */
  health(): Promise<{
    status: string
    checks: Record<string, { status: string; output?: string }[]>
  }>
}

const BUSINESS = '+441632960120'
let consumers = 100

/** Starts both; they end with the test. */
export async function startRelayLab(t: Test, options: RelayLabOptions): Promise<RelayLab> {
  const folder = mkdtempSync(join(peersFolder(), 'run-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const ports = options.ports ?? (await causewayPorts())
  const phoneNumberId = '106540352242940'
  const number = { phoneNumberId, phoneNumber: BUSINESS, accessToken: 'token', appId: 'app' }
  const simulator = await startSimulator({
    numbers: [number],
    folder,
    behaviour: { strict: options.strict ?? true },
    dialTo: { [DOMAIN]: { host: '127.0.0.1', port: ports.whatsapp } },
  })
  t.teardown(() => simulator.close())
  const config = configuration({
    ports,
    pbxPort: options.pbx.port,
    whatsappPort: simulator.sipAddress.port,
    tls: { ...simulator.issueCertificate([DOMAIN]), ca: simulator.caFile },
    graphUrl: simulator.graphUrl,
    numbers: [
      managedNumber('support', number, {
        listen: ports.whatsapp,
        inbound: { trunk: 'pbx', to: options.pbx.user ?? '{business}', ring_timeout: '8s' },
        calling: { srtp_key_exchange_protocol: options.whatsapp ?? 'SDES' },
      }),
    ],
  }) as { sip: { listen: object }; trunks: object[] }
  const { listen = '127.0.0.1', pbx } = options
  const causeway = await startCauseway({
    ports,
    config: {
      ...config,
      sip: {
        ...config.sip,
        listen: { ...config.sip.listen, pbx: [`udp://${listen}:${ports.pbx}`] },
      },
      media: options.media,
      trunks: [
        {
          ...config.trunks[0],
          targets: [`sip:${pbx.host ?? '127.0.0.1'}:${pbx.port};transport=udp`],
          accept: { from: ['127.0.0.0/8', `${pbx.host ?? listen}/32`] },
          media: options.trunk,
        },
      ],
    },
  })
  t.teardown(() => causeway.stop())
  const health = async () =>
    (await causeway.get('/healthz')) as Awaited<ReturnType<RelayLab['health']>>
  await causeway.healthy()
  return {
    simulator,
    causeway,
    business: BUSINESS,
    place: () => simulator.sip.placeCall({ from: `+3319900${4000 + consumers++}`, to: BUSINESS }),
    async expect(consumer) {
      simulator.store.grantPermission(simulator.store.numbers[0]!, consumer, true)
      return simulator.sip.calls.next((call) => call.consumer === consumer.slice(1))
    },
    async hears(call, frequency) {
      const heard = (): number => {
        const { tones = [] } = call.view().media?.received ?? {}
        return tones.find((tone) => Math.abs(tone.frequency - frequency) < 20)?.ms ?? 0
      }
      const before = heard()
      try {
        await until(`the consumer hears ${frequency} Hz`, () => heard() >= before + 500)
      } catch (cause) {
        const seen = JSON.stringify(call.view().media?.received)
        throw new Error(`${call.state}, heard ${before} to ${heard()} ms: ${seen}`, { cause })
      }
    },
    health,
  }
}
