export { billingOf, type CallBilling } from './billing.ts'
export {
  Call,
  type CallDirection,
  type CallIds,
  type CallOptions,
  type CallVerdict,
  type CallWatcher,
  type MediaFacts,
  type PermissionFacts,
  VERDICT_LIMIT,
  type WhatsAppFacts,
} from './call.ts'
export { type CallResult, causeOf, type EndCause, hungUpBy } from './cause.ts'
export { type EndedBy, endedBy } from './ended-by.ts'
export { LADDER_LIMIT, type LadderEntry } from './ladder.ts'
export { type CallRecord, RECORD_VERSION, recordOf, withReport } from './record.ts'
export { type CallListener, CallRegistry } from './registry.ts'
export { type CallState, isLegal } from './state.ts'
export {
  EMPTY_REPORT,
  mergeReports,
  type WhatsAppCallError,
  type WhatsAppReport,
} from './whatsapp-report.ts'
