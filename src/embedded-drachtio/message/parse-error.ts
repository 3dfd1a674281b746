import type { SipMessage } from './types.ts'

/** A message that breaks RFC 3261 §25 or a limit, with the status a request like it deserves. */
export class SipParseError extends Error {
  /** 400, 413, 414, 505 or 513. */
  readonly status: number
  /**
   * What could be read. Present only when it suffices to answer a request (Via, From, To, Call-ID
   * and CSeq); absent, the message is dropped.
   */
  readonly partial: SipMessage | undefined

  constructor(reason: string, status = 400, partial?: SipMessage) {
    super(reason)
    this.name = 'SipParseError'
    this.status = status
    this.partial = partial
  }
}
