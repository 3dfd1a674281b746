import { SipParseError } from './parse-error.ts'
import type { HeaderLine, SipMessage } from './types.ts'

type First = Record<
  'via' | 'from' | 'to' | 'call-id' | 'cseq' | 'max-forwards',
  HeaderLine | undefined
>

/**
 * A message while it is read. The first fault is kept and reading goes on, so that a request that
 * is refused can still be answered.
 */
export class Draft {
  /** Status of the first fault; 0 while there is none. */
  status = 0
  reason = ''
  kind: 'request' | 'response' = 'request'
  method = ''
  uri = ''
  code = 0
  phrase = ''
  headers: HeaderLine[] = []
  /** First lines of the headers that are read at the door. */
  first: First = {
    via: undefined,
    from: undefined,
    to: undefined,
    'call-id': undefined,
    cseq: undefined,
    'max-forwards': undefined,
  }
  /** -1 when the header is absent or unusable. */
  contentLength = -1

  fail(status: number, reason: string): void {
    if (this.status !== 0) return
    this.status = status
    this.reason = reason
  }

  /** The error for the first fault; `message` is what could be read, kept when it is a request. */
  error(message?: SipMessage): SipParseError {
    const partial = message?.kind === 'request' ? message : undefined
    return new SipParseError(this.reason, this.status, partial)
  }
}
