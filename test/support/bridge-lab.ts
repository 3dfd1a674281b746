import type { Test } from 'tap'
import { createBridge, type OutboundGate } from '../../src/bridge/index.ts'
import { type CallRecord, CallRegistry } from '../../src/calls/index.ts'
import type { Config } from '../../src/config/types.ts'
import type { MediaRelay } from '../../src/media/index.ts'
import type { CredentialSource } from '../../src/settings/index.ts'
import { createLogger } from '../../src/shared/log.ts'
import { Secret } from '../../src/shared/secret.ts'
import { numberConfig, trunkConfig } from './configs.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeMedia } from './fake-media.ts'
import { FakeRandom } from './fake-random.ts'
import { FakePort, FakeRequest } from './fake-sip-port.ts'

/** Credentials in a map; `fetched` is what a refresh brings. */
export class FakeCredentials implements CredentialSource {
  readonly known = new Map<string, Secret>([['support', new Secret('pw')]])
  fetched: Secret | undefined
  refreshes = 0

  get(name: string): Secret | undefined {
    return this.known.get(name)
  }

  async refresh(name: string): Promise<Secret | undefined> {
    this.refreshes++
    if (this.fetched) this.known.set(name, this.fetched)
    return this.known.get(name)
  }
}

/** The documentation's example as a typed configuration, without digest challenges. */
export function labConfig(change: Partial<Config> = {}): Config {
  return {
    file: '/causeway.yaml',
    sip: {
      domain: 'sip.example.com',
      externalAddress: undefined,
      listen: {
        whatsapp: { transport: 'tls', host: '0.0.0.0', port: 5061 },
        pbx: [{ transport: 'udp', host: '10.0.0.5', port: 5060 }],
      },
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
      graphUrl: 'https://graph.facebook.com',
      graphVersion: 'v24.0',
      sipDomain: 'wa.meta.vc',
      sipProxy: 'sip:wa.meta.vc:5061;transport=tls',
      ca: undefined,
      sources: ['198.51.100.0/24'],
      challenge: false,
      checkInterval: 0,
      credentialsInterval: 0,
      webhooks: undefined,
    },
    numbers: [numberConfig()],
    trunks: [trunkConfig()],
    limits: { calls: 10, callsPerNumber: 10, invitesPerSecond: 100 },
    http: { listen: { host: '127.0.0.1', port: 8080 }, token: undefined },
    events: { webhooks: [] },
    records: { path: '/data', secret: undefined },
    log: { level: 'silent', numbers: 'full' },
    trace: { messages: 'off', keep: 100, calls: 1000, memory: 67_108_864, hep: undefined },
    telemetry: undefined,
    ...change,
  }
}

/** Lets promises settle. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/**
 * A bridge on fakes; with a relay of its own, `media` of the lab stays unused. Without a gate every call
 * may leave.
 */
export async function bridgeLab(
  change: Partial<Config> = {},
  relay?: MediaRelay,
  gate?: OutboundGate,
) {
  const clock = new FakeClock()
  const port = new FakePort()
  const media = new FakeMedia()
  const credentials = new FakeCredentials()
  const calls = new CallRegistry(clock)
  const config = labConfig(change)
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const log = createLogger({ level: 'info', numbers: 'full', destination })
  const bridge = createBridge({
    port,
    config,
    credentials,
    media: relay ?? media,
    calls,
    clock,
    random: new FakeRandom(),
    log,
    ...(gate ? { gate } : {}),
  })
  await bridge.start()
  let count = 0

  const fromWhatsApp = (options: Partial<FakeRequest> = {}): FakeRequest =>
    port.receive(
      new FakeRequest('INVITE', {
        uri: 'sip:+441632960123;tgrp=x@sip.example.com;transport=tls',
        body: 'wa-offer',
        sourceAddress: '198.51.100.7',
        transport: 'tls',
        receivedOn: '10.0.0.5:5061',
        ...options,
        headers: {
          'call-id': `outgoing:wacid.${++count}`,
          from: `"Zoé" <sip:+33199001234@wa.meta.vc>;tag=wa${count}`,
          to: '<sip:+441632960123@sip.example.com>',
          contact: '<sip:+33199001234@wa.meta.vc;transport=tls;ob>;isfocus',
          'content-type': 'application/sdp',
          'x-wa-meta-user-id': 'FR.1',
          ...options.headers,
        },
      }),
    )

  const fromPbx = (options: Partial<FakeRequest> = {}): FakeRequest =>
    port.receive(
      new FakeRequest('INVITE', {
        uri: 'sip:0033199001234@10.0.0.5',
        body: 'pbx-offer',
        sourceAddress: '10.0.0.9',
        transport: 'udp',
        receivedOn: '10.0.0.5:5060',
        ...options,
        headers: {
          'call-id': `pbx-${++count}`,
          from: `<sip:200@10.0.0.9>;tag=pbx${count}`,
          to: '<sip:0033199001234@10.0.0.5>',
          contact: '<sip:200@10.0.0.9>',
          'content-type': 'application/sdp',
          ...options.headers,
        },
      }),
    )

  const inDialog = (method: string, dialogId: string, options: Partial<FakeRequest> = {}) =>
    port.receive(
      new FakeRequest(method, {
        dialogId,
        ...options,
        headers: { to: '<sip:x@y>;tag=1', ...options.headers },
      }),
    )

  return {
    bridge,
    calls,
    clock,
    config,
    credentials,
    fromPbx,
    fromWhatsApp,
    inDialog,
    /** Lines of the log, as data. */
    lines,
    media,
    port,
  }
}

export type BridgeLab = Awaited<ReturnType<typeof bridgeLab>>

/** An answered user-initiated call: the names of its dialogs, and the INVITE the PBX answered. */
export async function answeredByPbx(lab: BridgeLab) {
  const invite = lab.fromWhatsApp()
  await settle()
  const sent = lab.port.last!
  sent.respond(200, 'OK', { body: 'pbx-answer' })
  await settle()
  lab.inDialog('ACK', invite.madeDialog)
  return { invite, sent, pbx: sent.madeDialog, whatsapp: invite.madeDialog }
}

/** An answered business-initiated call. */
export async function answeredByWhatsApp(lab: BridgeLab, options: Partial<FakeRequest> = {}) {
  const invite = lab.fromPbx(options)
  await settle()
  const sent = lab.port.last!
  sent.respond(200, 'OK', { body: 'wa-answer' })
  await settle()
  return { invite, sent, pbx: invite.madeDialog, whatsapp: sent.madeDialog }
}

/** Nothing is left of any call; gives the record of the last that ended. */
export async function bare(t: Test, lab: BridgeLab): Promise<CallRecord> {
  await settle()
  t.equal(lab.calls.size, 0, 'no call is left')
  t.equal(lab.media.open_, 0, 'media is released')
  t.same(
    lab.media.sessions.map((session) => session.replacements),
    lab.media.sessions.map(() => 0),
    'no leg is left beside a call',
  )
  t.equal(lab.clock.pending, 0, 'no timer is left')
  t.same(lab.bridge.status().held, { dialogs: 0, flows: 0, releasing: 0 }, 'no table has entries')
  return lab.calls.ended()[0]!
}
