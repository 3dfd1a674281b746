/** Media of the simulated sides: one endpoint for WhatsApp and PBX alike. */
export {
  MediaEndpoint,
  type MediaEndpointOptions,
  type MediaVerdict,
  SdpError,
} from './endpoint.ts'
export { commonFormats, judgeSdp, type MediaPolicy, type SdpFindings } from './rules.ts'
export { type CodecName, type RemoteAudio, readAudio } from './sdp.ts'
export { DEFAULT_WATCHDOG, MediaWatchdog, type WatchdogLimits } from './watchdog.ts'
