/** What sets SIP methods apart for the dialog layer. */

/** Methods an application may send outside a dialog. */
export const sendable = new Set([
  'INVITE',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'UPDATE',
  'BYE',
  'PRACK',
])

/** Methods every server knows; an unknown one nobody subscribed to is answered 405. */
export const routable = new Set([
  'INVITE',
  'OPTIONS',
  'REGISTER',
  'MESSAGE',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
])

/** Methods that make sense in a dialog alone: without one they get 481. */
export const dialogOnly = new Set(['BYE', 'UPDATE', 'PRACK'])

/** Methods that get 481 when their To tag names no dialog; others are told by their own merits. */
export const dialogBound = new Set(['INVITE', 'BYE', 'UPDATE', 'PRACK', 'INFO', 'REFER'])

/** Methods whose Contact is the peer's new address (RFC 3261 §12.2, RFC 3311, RFC 6665, RFC 3515). */
export const targetRefresh = new Set(['INVITE', 'UPDATE', 'SUBSCRIBE', 'NOTIFY', 'REFER'])

/** Where a Contact is added when the application gives none. */
export const contactPolicy = {
  newRequest: new Set(['INVITE', 'SUBSCRIBE', 'REFER']),
  inDialog: new Set(['INVITE', 'SUBSCRIBE', 'REFER', 'UPDATE', 'NOTIFY']),
  success: new Set(['INVITE', 'SUBSCRIBE', 'UPDATE', 'REFER']),
}

/** Allow header of a 405. */
export const allow = 'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, INFO, MESSAGE'
