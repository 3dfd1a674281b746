export {
  Diagnosis,
  type LegSnapshot,
  type LegSnapshots,
  overallVerdict,
  type VerdictChange,
  type VerdictRecord,
} from './diagnosis.ts'
export {
  EVENT_PACKET,
  EventDetector,
  EventForwarder,
  EventSender,
  eventCode,
  eventName,
} from './events.ts'
export { isRtcp, RTP_HEADER, RtpHeader, readRtp, writeRtpHeader } from './header.ts'
export { OutgoingStream, type StreamStart } from './outgoing.ts'
export { meanOpinion, type QualityInput, rating, scoreOf } from './quality.ts'
export { ReceiveStatistics } from './receive-statistics.ts'
export * from './rtcp/index.ts'
