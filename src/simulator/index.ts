/** The WhatsApp side in one process: Graph API, `wa.meta.vc`, and the API that steers them. */
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { type Clock, systemClock } from '../shared/clock.ts'
import { type Logger, silentLogger } from '../shared/log.ts'
import { type Random, systemRandom } from '../shared/random.ts'
import { LabAuthority } from './certificates.ts'
import { startControl } from './control/server.ts'
import {
  createGraphSimulator,
  type GraphSimulator,
  type WebhookSubscription,
} from './graph/index.ts'
import type { WhatsAppSimulatorOptions } from './sip/index.ts'
import { type Behaviour, createWhatsAppSimulator, type WhatsAppSimulator } from './sip/index.ts'
import { createStore, type SimulatedNumberOptions, type SimulatorStore } from './store.ts'

/** How a simulator is started. Ports default to 0: any free one. */
export interface SimulatorOptions {
  numbers: SimulatedNumberOptions[]
  /** Address of every listener and of the RTP sockets. Default 127.0.0.1. */
  host?: string
  ports?: { graph?: number; sip?: number; control?: number }
  /** Graph API by HTTPS with a certificate of the lab CA. Default false. */
  graphTls?: boolean
  /** Where the lab's files go: `ca.pem` and issued certificates. Default: a temporary folder. */
  folder?: string
  /** More trust anchors for the business's certificate, PEM. Public ones and the lab CA always. */
  trust?: readonly string[]
  /** Where the business's host names lead; certificates are verified for the names all the same. */
  dialTo?: Record<string, { host: string; port?: number }>
  media?: WhatsAppSimulatorOptions['media']
  behaviour?: Partial<Behaviour>
  webhooks?: WebhookSubscription
  clock?: Clock
  random?: Random
  log?: Logger
}

/** A running simulator. */
export interface Simulator {
  /** Base URL of the Graph API, for `whatsapp.graph_url`. */
  readonly graphUrl: string
  /** Where `wa.meta.vc` answers. */
  readonly sipAddress: { host: string; port: number }
  /** For `whatsapp.sip_proxy`. */
  readonly sipProxy: string
  /** Base URL of the control API. */
  readonly controlUrl: string
  /** PEM file of the lab CA, for `whatsapp.ca`. */
  readonly caFile: string
  readonly store: SimulatorStore
  readonly graph: GraphSimulator
  readonly sip: WhatsAppSimulator
  /**
   * Where the business's SIP server really is: for host names that lead nowhere in a lab. The
   * certificate is verified for the name.
   */
  dialTo(hostname: string, address: { host: string; port?: number }): void
  /** Issues a certificate of the lab CA and writes both files, the key readable by the owner only. */
  issueCertificate(names: string[]): { cert: string; key: string }
  close(): Promise<void>
}

/** Starts Graph API, SIP side and control API on one store. Nothing stays open when one fails. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { host = '127.0.0.1', ports = {}, trust = [], numbers } = options
  const clock = options.clock ?? systemClock
  const random = options.random ?? systemRandom
  const log = options.log ?? silentLogger()
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'causeway-simulator-'))
  mkdirSync(folder, { recursive: true })
  const authority = new LabAuthority({ clock, random })
  const caFile = join(folder, 'ca.pem')
  writeFileSync(caFile, authority.cert)
  const names = ['wa.meta.vc', 'graph.facebook.com', 'localhost', '127.0.0.1', '::1']
  const own = authority.issue({ names: names.includes(host) ? names : [...names, host] })
  const client = authority.issue({ names: ['client.sip.fbclientcerts.com'] })

  const store = createStore({ numbers, clock, random })
  const dialTo: NonNullable<SimulatorOptions['dialTo']> = { ...options.dialTo }
  const graph = createGraphSimulator({
    store,
    clock,
    random,
    listen: { host, port: ports.graph ?? 0 },
    ...(options.graphTls ? { tls: { cert: own.cert, key: own.key.reveal() } } : {}),
    ...(options.webhooks ? { webhooks: options.webhooks } : {}),
  })
  const closing: (() => Promise<void>)[] = []
  if (options.folder === undefined) closing.push(() => rm(folder, { recursive: true, force: true }))
  const close = async (): Promise<void> => {
    for (const stop of closing.splice(0).reverse()) await stop()
  }
  try {
    const sip = await createWhatsAppSimulator({
      store,
      clock,
      random,
      log,
      host,
      port: ports.sip ?? 0,
      tls: {
        identity: own,
        trust: [authority.cert, ...trust, ...rootCertificates],
        client,
      },
      dialTo,
      media: { address: host, ...options.media },
      ...(options.behaviour ? { behaviour: options.behaviour } : {}),
    })
    closing.push(() => sip.close())
    const { url: graphUrl } = await graph.start()
    closing.push(() => graph.stop())
    const control = await startControl({
      store,
      sip,
      ca: authority.cert,
      graph: { modes: graph.modes, subscribe: (to) => graph.webhooks.subscribe(to) },
      host,
      port: ports.control ?? 0,
    })
    closing.push(() => control.close())
    const sipHost = host.includes(':') ? `[${host}]` : host
    return {
      graphUrl,
      sipAddress: sip.address,
      sipProxy: `sip:${sipHost}:${sip.address.port};transport=tls`,
      controlUrl: control.url,
      caFile,
      store,
      graph,
      sip,
      dialTo(hostname, address) {
        dialTo[hostname] = address
      },
      issueCertificate(names) {
        const issued = authority.issue({ names })
        const base = join(folder, (names[0] ?? 'certificate').replace(/[^\w.-]/g, '_'))
        const files = { cert: `${base}.cert.pem`, key: `${base}.key.pem` }
        writeFileSync(files.cert, issued.cert)
        writeFileSync(files.key, issued.key.reveal(), { mode: 0o600 })
        return files
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

export type { WebhookSubscription } from './graph/index.ts'
export type { MediaVerdict } from './media/index.ts'
export type {
  Behaviour,
  CallRecord,
  CallView,
  Consumer,
  UserCallOptions,
  Violation,
} from './sip/index.ts'
export type { SimulatedNumberOptions, SimulatorStore } from './store.ts'
