export { AUTH_FAILED, MALFORMED, REPLAYED } from './reasons.ts'
export { createSrtpReceiver, type SrtpReceiver, type SrtpReceiverOptions } from './receiver.ts'
export { createSrtpSender, type SrtpSender, type SrtpSenderOptions } from './sender.ts'
export { generateKey, keyLength } from './suites.ts'
