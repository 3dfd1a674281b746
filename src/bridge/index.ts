export type { Listeners, Side } from './admit/directory.ts'
export type { OutboundGate, PendingVerdict } from './admit/outbound.ts'
export {
  type Bridge,
  type BridgeOptions,
  type BridgeStatus,
  createBridge,
  type RegistrationsStatus,
} from './bridge.ts'
export type { DigestCount } from './digest/counters.ts'
export { type DrachtioAddress, DrachtioPort } from './drachtio/port.ts'
export type { EndedFlow } from './ended-flow.ts'
export type { Binding, Source } from './registrar/binding.ts'
export { memoryStore, type RegistrationStore } from './registrar/store.ts'
export type { Installation } from './registration/registrations.ts'
export type { RegistrationStatus } from './registration/status.ts'
export type { SipPort } from './sip-port.ts'
