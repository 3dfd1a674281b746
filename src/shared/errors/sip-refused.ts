import { defineErrors } from './definition.ts'

/** INVITEs of a PBX that the embedded SIP server refuses before a call begins. */
export const sipRefusedErrors = defineErrors({
  SIP_MESSAGE_MALFORMED: {
    summary: 'the INVITE breaks the grammar of SIP or a limit of its size',
    cause:
      'A header is missing, malformed or there twice, the URI cannot be read, or the message is too large.',
    fix: 'Look at the INVITE the PBX sends; the detail names what cannot be read.',
    owner: 'pbx',
    retryable: false,
    sip: 400,
    q850: 95,
  },
  SIP_DIALOG_UNKNOWN: {
    summary: 'an INVITE within a call that is not known',
    cause: 'Its To tag names no call: the call has ended, or Causeway was started again.',
    fix: 'Begin a new call, without a To tag.',
    owner: 'pbx',
    retryable: false,
    sip: 481,
    q850: 101,
  },
  SIP_REQUEST_MERGED: {
    summary: 'the same INVITE came by a second path',
    cause: 'A proxy before Causeway forks, and two branches lead here (RFC 3261 §8.2.2.2).',
    fix: 'Let one branch of the proxy lead to Causeway.',
    owner: 'pbx',
    retryable: false,
    sip: 482,
    q850: 25,
  },
  SIP_TOO_MANY_HOPS: {
    summary: 'the INVITE has passed too many hops',
    cause: 'Max-Forwards came as 0: the call goes round between proxies or PBXs.',
    fix: 'Look for the loop in the routes of the PBX.',
    owner: 'pbx',
    retryable: false,
    sip: 483,
    q850: 25,
  },
  SIP_REQUEST_PENDING: {
    summary: 'another offer of the call is not settled yet',
    cause: 'An INVITE or UPDATE came while an earlier one was open, or before the ACK.',
    fix: 'Try again in a moment (RFC 3261 §14.1); a PBX does so by itself.',
    owner: 'pbx',
    retryable: true,
    sip: 491,
    q850: 101,
  },
  SIP_REQUEST_STALE: {
    summary: 'the INVITE is older than what the call has seen',
    cause: 'Its CSeq is not above that of the last request (RFC 3261 §12.2.2).',
    fix: 'Raise the CSeq with each request; a proxy that repeats old ones is to be mended.',
    owner: 'pbx',
    retryable: false,
    sip: 500,
    q850: 101,
  },
  SIP_SESSION_INTERVAL: {
    summary: 'the session interval is too short',
    cause: 'Session-Expires is below Min-SE of the answer (RFC 4028 §5).',
    fix: 'Set the session timer of the PBX to 90 s or more; most PBXs correct it by themselves.',
    owner: 'pbx',
    retryable: true,
    sip: 422,
    q850: 127,
  },
  SIP_CALL_NOT_TAKEN: {
    summary: 'the SIP server had nobody to take the call',
    cause:
      'Causeway is starting, lost its SIP server, did not answer in time, or has too many requests open.',
    fix: 'Try again; look at /readyz and at the load.',
    owner: 'causeway',
    retryable: true,
    sip: 503,
    q850: 41,
  },
})
