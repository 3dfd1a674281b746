/** The transport layer: UDP, TCP and TLS (RFC 3261 §18). */

export { type CertificateInfo, loadCertificate } from './certificate.ts'
export { createTransportLayer, type TransportLayer } from './layer.ts'
export { createTransportMetrics, type PerTransport, type TransportMetrics } from './metrics.ts'
export {
  type CertificateEvent,
  defaultTransportLimits,
  type ListenerChanges,
  type ListenerInfo,
  type ListenerOptions,
  type TlsClientOptions,
  type TransportLayerOptions,
  type TransportLimits,
  type TransportName,
} from './options.ts'
export { expandForSize, LARGEST_DATAGRAM } from './size.ts'
export { MessageTap, type TapBatch } from './tap.ts'
export type { TlsPeer } from './tls-peers.ts'
export type { FlowEnd, Target, Transport, TransportEvents } from './types.ts'
