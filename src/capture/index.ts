/** The SIP messages of calls: joined to them, without keys, kept for a while and sent on. */

export { Capture, type CaptureOptions, type Joined, type MessageListener } from './capture.ts'
export { type HepCounters, HepSender, type HepSenderOptions } from './hep/sender.ts'
export { pcapOf } from './pcap.ts'
export { redactMessage } from './redact/message.ts'
export type {
  CallMessage,
  CallMessages,
  CaptureCounters,
  KeptMessage,
  Leg,
  Transcript,
} from './types.ts'
export { viewOf } from './view.ts'
