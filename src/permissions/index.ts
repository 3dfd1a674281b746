/** Call permissions of consumers, limits, call policy and quality of business-initiated calls. */
export { AccountEvents, type StandingEvent } from './account.ts'
export { PermissionBook } from './book.ts'
export { createPermissionClient, type PermissionClient } from './client.ts'
export { messageOf, OutboundGate, type PendingVerdict } from './gate.ts'
export { TEXT_LIMIT } from './message.ts'
export { parsePermission } from './parse.ts'
export {
  BUSINESS_RESTRICTED,
  callPolicy,
  iso,
  type NumberStanding,
  restrictionsNow,
} from './policy.ts'
export type { Pickup } from './streaks.ts'
export type { NumberCount } from './tally.ts'
export type {
  AccountEvent,
  CallOutcome,
  CallPermission,
  PermissionAction,
  PermissionLimit,
  PermissionReply,
  PermissionStatus,
  RequestMessage,
} from './types.ts'
export { isGranted, judgeCall, judgeRequest, periodText } from './verdict.ts'
export { OutcomeWatch } from './watch.ts'
