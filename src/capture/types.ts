import type { WireMessage } from '../shared/wire-message.ts'

/** Which leg of a call a message belongs to. */
export type Leg = 'whatsapp' | 'pbx'

/** A message whose text has been redacted: what may be kept, shown and sent on. */
export interface KeptMessage extends WireMessage {
  /** Call-ID as on the wire, for joining alone: of a WhatsApp call it holds phone numbers. */
  readonly callId: string
}

/** The messages of one call in the order they were seen. */
export interface Transcript {
  /** The call's id. */
  readonly id: string
  /** When the call began, milliseconds since the Unix epoch. */
  readonly startedAt: number
  readonly messages: readonly (KeptMessage & { readonly leg: Leg })[]
  /** Messages not kept, for lack of room. */
  readonly dropped: number
}

/** A message of a call as the API shows it. */
export interface CallMessage {
  /** Milliseconds since the Unix epoch, with a fraction. */
  readonly at: number
  /** Milliseconds since the call began; negative before it did: a challenged INVITE. */
  readonly t: number
  readonly leg: Leg
  /** Seen from Causeway. */
  readonly dir: 'in' | 'out'
  readonly transport: WireMessage['transport']
  /** `address:port` */
  readonly local: string
  readonly remote: string
  /** Method, or status and reason. */
  readonly what: string
  /** What a reader would look for in it: codecs, keying, direction, the method a response is for. */
  readonly note?: string
  /** Place in the list of the message this one repeats, octet by octet. */
  readonly repeats?: number
  /** Redacted. */
  readonly text: string
}

/** The messages of one call as the API shows them. */
export interface CallMessages {
  readonly id: string
  readonly messages: readonly CallMessage[]
  readonly dropped: number
}

/** What the capture has done so far. */
export interface CaptureCounters {
  /** Messages seen. */
  seen: number
  /** Messages of calls that were not kept, by why. */
  lost: { behind: number; memory: number; call: number }
}
