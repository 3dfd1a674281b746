/** The REGISTER a registration was made, or last renewed, by. */
export interface FlowOwner {
  callId: string
  cseq: number
}

/**
 * A connection that registrations hung on (RFC 5626), and that has ended. The embedded SIP server
 * tells of it; the drachtio protocol has no word for it, so that a drachtio-server does not.
 */
export interface EndedFlow {
  /** No pong to our ping, nothing heard within the Flow-Timer we gave, or closed. */
  why: 'unanswered' | 'silent' | 'closed'
  /** REGISTERs of ours that were answered over it. */
  sent: readonly FlowOwner[]
  /** REGISTERs of PBXs that came over it. */
  received: readonly FlowOwner[]
}
