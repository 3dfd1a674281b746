export {
  type ReportBlock,
  type SenderInfo,
  writeDescription,
  writeGoodbye,
  writeReport,
} from './build.ts'
export { type RtcpEvents, readRtcp } from './parse.ts'
export { RtcpSession, type RtcpSessionOptions } from './session.ts'
