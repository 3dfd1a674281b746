/** The embedded SIP server: speaks SIP to the network and the drachtio protocol to applications. */

export type { DialogOptions } from './dialog/context.ts'
export type { EndedFlow } from './dialog/layer.ts'
export type { SipServerMetrics } from './metrics.ts'
export type { AdminLimits } from './protocol/admin.ts'
export { createSipServer, type SipServer, type SipServerOptions } from './server.ts'
export { METHODS, type PeerTraffic } from './traffic.ts'
export {
  type CertificateEvent,
  type CertificateInfo,
  type ListenerInfo,
  type ListenerOptions,
  loadCertificate,
  type TapBatch,
  type TlsClientOptions,
  type TlsPeer,
} from './transport/index.ts'
export {
  type SipServerWorker,
  type SipServerWorkerOptions,
  startSipServerWorker,
} from './worker.ts'
export type { CertificateReport, ServerChanges } from './worker-messages.ts'
