export type { Listeners, Side } from './admit/directory.ts'
export { type Bridge, type BridgeOptions, type BridgeStatus, createBridge } from './bridge.ts'
export { type DrachtioAddress, DrachtioPort } from './drachtio/port.ts'
export type { SipPort } from './sip-port.ts'
