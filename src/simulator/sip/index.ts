/** WhatsApp's SIP side (`wa.meta.vc`). */
export { type Behaviour, DEFAULT_BEHAVIOUR } from './behaviour.ts'
export type { CallScript, Consumer } from './consumers.ts'
export type { DigestAlgorithm } from './digest.ts'
export type {
  CallOutcome,
  CallRecord,
  CallState,
  CallView,
  LadderEntry,
  Violation,
} from './record.ts'
export {
  createWhatsAppSimulator,
  type WhatsAppSimulator,
  type WhatsAppSimulatorOptions,
} from './simulator.ts'
export type { UserCallOptions } from './user-call.ts'
export { decodeWacid, makeWacid, type WacidParts } from './wacid.ts'
