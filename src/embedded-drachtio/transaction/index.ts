/** The SIP transaction layer (RFC 3261 §17, RFC 6026). */

export type { BaseTimers, ExpandForSize, TransactionLimits } from './core.ts'
export { createTransactionCounters, type TransactionCounters } from './counters.ts'
export {
  createTransactionLayer,
  type TransactionLayerOptions,
  type TransactionService,
} from './layer.ts'
export type {
  ClientTransaction,
  ClientUser,
  SendOptions,
  ServerTransaction,
  TransactionLayer,
  TransactionState,
  TransactionUser,
} from './types.ts'
