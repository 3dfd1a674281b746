import type { Config, ListenAddress } from '../config/types.ts'
import {
  type EndedFlow,
  type ListenerInfo,
  type ListenerOptions,
  type SipServerMetrics,
  type SipServerWorker,
  type SipServerWorkerOptions,
  startSipServerWorker,
  type TapBatch,
} from '../embedded-drachtio/index.ts'
import { readAnchor } from '../settings/index.ts'
import { type Clock, delay } from '../shared/clock.ts'
import type { Logger, LogLevel } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { Secret } from '../shared/secret.ts'
import { tlsPeers } from './tls-peers.ts'

/** The SIP server an instance works with: the embedded one, or a drachtio-server elsewhere. */
export interface SipServerHandle {
  /** Where the bridge connects. */
  readonly admin: { host: string; port: number; secret: Secret }
  /** Listening addresses by side, with the ports really bound. */
  readonly listen: { whatsapp: ListenAddress; pbx: ListenAddress[] }
  /** Open listeners with their certificates; empty for a drachtio-server elsewhere. */
  listeners(): readonly ListenerInfo[]
  /** Undefined for a drachtio-server elsewhere, which has metrics of its own. */
  metrics(): Promise<SipServerMetrics | undefined>
  /**
   * Takes certificate files, the external address, TLS of the trunks, and the level the log has now;
   * connections and dialogs live on. A drachtio-server elsewhere has a configuration of its own.
   */
  configure(config: Config): Promise<void>
  /**
   * Hands every SIP message in and out to `take`; `undefined` ends it. A drachtio-server elsewhere shows none.
   */
  tap(take: ((batch: TapBatch) => void) | undefined): void
  /** Whether it pings the connections of registrations (RFC 5626); a drachtio-server elsewhere does not. */
  readonly keepsFlows: boolean
  /** Tells `take` of every connection that ended and that registrations hung on. */
  onFlowEnded(take: (ended: EndedFlow) => void): void
  close(): Promise<void>
}

/** Pause before a crashed server is started again, milliseconds. */
const RESTART_PAUSE = 200

/**
 * Starts the embedded server in its worker thread, or points at the configured drachtio-server. A
 * crashed thread is started again on the same addresses; the bridge reconnects by itself.
 *
 * @throws CausewayError of a listener that cannot be opened
 */
export async function startSipServer(
  config: Config,
  deps: { clock: Clock; random: Random; log: Logger },
): Promise<SipServerHandle> {
  const { server } = config.sip
  if (server.kind === 'drachtio') return foreignServer(config, server)
  const secret = new Secret(deps.random.hex(24))
  const options = workerOptions(config, secret, deps.log)
  let worker = await startSipServerWorker(options)
  let closed = false
  let take: ((batch: TapBatch) => void) | undefined
  let flowEnded: ((ended: EndedFlow) => void) | undefined

  // The system's choices become fixed, so that a restart comes back where everybody looks for it.
  let listeners = await worker.listeners()
  options.admin = { ...options.admin, port: worker.admin.port }
  options.listeners.forEach((listener, index) => {
    listener.port = listeners[index]?.port ?? listener.port
  })

  const watch = (current: SipServerWorker): void => {
    current.events.on('tapped', (batch) => take?.(batch))
    if (take) current.tap(true)
    current.events.on('flowEnded', (ended) => flowEnded?.(ended))
    current.events.on('certificate', (report) => {
      const { host, port } = report.listener
      const detail = { listener: `${host}:${port}`, error: report.error }
      if (report.error) deps.log.error(detail, 'certificate not taken; the old one stays')
      else deps.log.info(detail, 'certificate read again')
      void current.listeners().then(
        (list) => {
          listeners = list
        },
        () => {},
      )
    })
    current.events.once('crashed', (error) => {
      deps.log.error({ err: error }, 'SIP server crashed; starting it again')
      void restart()
    })
  }
  const restart = async (): Promise<void> => {
    while (!closed) {
      await delay(deps.clock, RESTART_PAUSE)
      if (closed) return
      try {
        worker = await startSipServerWorker(options)
        watch(worker)
        return
      } catch (err) {
        deps.log.error({ err }, 'SIP server cannot be started')
      }
    }
  }
  watch(worker)

  const [whatsapp, ...pbx] = options.listeners.map(({ transport, host, port }) => ({
    transport,
    host,
    port,
  }))
  return {
    admin: { host: worker.admin.host, port: worker.admin.port, secret },
    listen: { whatsapp: whatsapp!, pbx },
    listeners: () => listeners,
    metrics: () => worker.metrics(),
    async configure(changed) {
      const { tls, externalAddress } = changed.sip
      options.tlsPeers = tlsPeers(changed.trunks)
      worker.configureTls(options.tlsPeers)
      // Also for the thread after a crash.
      for (const listener of options.listeners) {
        listener.externalAddress = externalAddress
        if (listener.transport === 'tls') listener.tls = tls
      }
      const logLevel = deps.log.level as LogLevel
      try {
        await worker.configure({ tls, externalAddress, logLevel })
        listeners = await worker.listeners()
      } catch (err) {
        // It is being started again, with all of this.
        deps.log.warn({ err }, 'SIP server not configured again')
      }
    },
    tap(next) {
      take = next
      worker.tap(next !== undefined)
    },
    keepsFlows: true,
    onFlowEnded(next) {
      flowEnded = next
    },
    async close() {
      closed = true
      await worker.close()
    },
  }
}

function workerOptions(config: Config, secret: Secret, log: Logger): SipServerWorkerOptions {
  const { sip, whatsapp } = config
  const sides = [sip.listen.whatsapp, ...sip.listen.pbx]
  const listeners: ListenerOptions[] = sides.map((address, index) => ({
    ...address,
    peer: index === 0 ? 'whatsapp' : 'pbx',
    warnAgent: index === 0 ? undefined : sip.domain,
    externalAddress: sip.externalAddress,
    tls: address.transport === 'tls' ? sip.tls : undefined,
  }))
  return {
    admin: { host: '127.0.0.1', port: 0, secret },
    listeners,
    tlsPeers: tlsPeers(config.trunks),
    tlsClient: { ca: whatsapp.ca === undefined ? [] : [readAnchor(whatsapp.ca)] },
    overrides: new Map([[whatsapp.sipDomain, whatsapp.sipProxy]]),
    peers: { domains: new Map([[whatsapp.sipDomain, 'whatsapp']]), others: 'pbx' },
    // RFC 3261 §18.1.1, where the site has opened TCP towards its PBX.
    tellTrying: true,
    largeRequestsByTcp: sip.listen.pbx.some((address) => address.transport === 'tcp'),
    log,
  }
}

function foreignServer(
  config: Config,
  server: { host: string; port: number; secret: Secret },
): SipServerHandle {
  const { host, port, secret } = server
  return {
    admin: { host, port, secret },
    listen: config.sip.listen,
    listeners: () => [],
    metrics: async () => undefined,
    configure: async () => {},
    tap: () => {},
    keepsFlows: false,
    onFlowEnded: () => {},
    close: async () => {},
  }
}
