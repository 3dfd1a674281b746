/** Media of the simulated sides: one endpoint for WhatsApp and PBX alike. */
export { type DtlsCertificate, type Fingerprint, makeDtlsCertificate } from './certificate.ts'
export {
  type DtlsMediaEvents,
  type DtlsMediaOptions,
  DtlsMediaTransport,
  type DtlsRemote,
  type DtlsState,
  type HostCandidate,
  type Setup,
} from './dtls.ts'
export { MediaEndpoint } from './endpoint.ts'
export type { MediaChange, MediaEndpointOptions } from './endpoint-options.ts'
export type { PromiseReport, PromiseRule } from './promises.ts'
export { commonFormats, judgeSdp, type MediaPolicy, type SdpFindings } from './rules.ts'
export { type CodecName, type Direction, type RemoteAudio, readAudio, SdpError } from './sdp.ts'
export { StallMeter } from './stalls.ts'
export type { DtlsReport } from './transport.ts'
export type { MediaVerdict } from './verdict.ts'
export { DEFAULT_WATCHDOG, MediaWatchdog, type WatchdogLimits } from './watchdog.ts'
