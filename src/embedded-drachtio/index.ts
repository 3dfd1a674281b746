/** The embedded SIP server: speaks SIP to the network and the drachtio protocol to applications. */

export type { DialogOptions } from './dialog/context.ts'
export type { SipServerMetrics } from './metrics.ts'
export type { AdminLimits } from './protocol/admin.ts'
export { createSipServer, type SipServer, type SipServerOptions } from './server.ts'
export { METHODS, type PeerTraffic } from './traffic.ts'
export type {
  CertificateEvent,
  CertificateInfo,
  ListenerInfo,
  ListenerOptions,
  TapBatch,
  TlsClientOptions,
  TlsPeer,
} from './transport/index.ts'
export {
  type SipServerWorker,
  type SipServerWorkerOptions,
  startSipServerWorker,
} from './worker.ts'
