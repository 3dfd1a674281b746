/** The SIP message layer: bytes to messages and back (RFC 3261 §7, §18.3, §20, §25). */

export { bracketed } from '../../shared/host-port.ts'
export {
  makeAckForFailure,
  makeCancel,
  makeRequest,
  makeResponse,
  type RequestParts,
  type ResponseParts,
  withVia,
} from './build.ts'
export { type FramerEvents, StreamFramer } from './framer.ts'
export { isToken } from './grammar.ts'
export {
  assertHeaderSafe,
  headerLine,
  headerValue,
  headerValues,
  removeHeaders,
  setHeader,
  splitList,
} from './headers.ts'
export { defaultLimits } from './limits.ts'
export { formatNameAddr, parseNameAddr, parseNameAddrList } from './name-addr.ts'
export { canonicalName, expandCompact, isListHeader } from './names.ts'
export { parseMessage } from './parse.ts'
export { SipParseError } from './parse-error.ts'
export { reasonPhrase } from './reasons.ts'
export { refusalHeaders } from './refusal.ts'
export { serializeMessage, serializeToKeep } from './serialize.ts'
export type {
  Flow,
  HeaderLine,
  MessageLimits,
  NameAddr,
  SipMessage,
  SipRequest,
  SipResponse,
  SipUri,
  Via,
} from './types.ts'
export { formatSipUri, parseSipUri, sameSipUri } from './uri.ts'
export { formatVia, parseVia, stampVia } from './via.ts'
