import type { Headers, ResponseHandler, SipPort } from '../sip-port.ts'

/** Nothing follows from what a BYE is answered: the dialog is over either way (RFC 3261 §15.1.1). */
const IGNORED: ResponseHandler = { onResponse() {}, onError() {} }

/** Ends a dialog. */
export function sendBye(port: SipPort, dialogId: string, headers: Headers = {}): void {
  port.request({ method: 'BYE', uri: 'sip:placeholder', headers, dialogId }, IGNORED)
}
