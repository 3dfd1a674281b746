export type { CallMediaReport, LegReport, StreamReport, Verdict } from './anchor/report.ts'
export type {
  Anchor,
  AnchorCall,
  AnchorStatus,
  LegId,
  MediaEvent,
  Playback,
} from './anchor/types.ts'
export { type AnchoredRelayOptions, createAnchoredRelay } from './anchored/relay.ts'
export { createNoneRelay } from './none.ts'
export type {
  MediaCall,
  MediaRelay,
  MediaSession,
  MediaSummary,
  Replacement,
  Side,
} from './session.ts'
