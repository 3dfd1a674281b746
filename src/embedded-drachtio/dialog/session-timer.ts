import type { Timer } from '../../shared/clock.ts'
import { type HeaderLine, headerLine, headerValue, type SipMessage } from '../message/index.ts'
import type { PartialMessage } from '../protocol/command.ts'
import type { Context } from './context.ts'
import type { Dialog } from './dialog.ts'
import { refreshSession, terminate } from './own-requests.ts'

/** Smallest session interval we accept, seconds (RFC 4028 §5). */
export const minSessionExpires = 90
/** Reason text of the BYE that ends a session nobody refreshed. */
const expired = 'Session timer expired'

/** A running session timer (RFC 4028). */
export interface SessionState {
  /** Session interval in seconds. */
  interval: number
  /** True when the refresh is our duty. */
  ours: boolean
  timer: Timer | undefined
  /** Our last session description, sent again in a refresh. */
  sdp: Buffer | undefined
}

/** The value of a Session-Expires header. */
export interface SessionExpires {
  seconds: number
  refresher: 'uac' | 'uas' | undefined
}

/** Reads Session-Expires; undefined without a valid one. */
export function sessionExpires(message: Pick<SipMessage, 'headers'>): SessionExpires | undefined {
  const value = headerValue(message.headers, 'session-expires')
  const match = value === undefined ? null : /^(\d{1,9})\s*((?:;.*)?)$/.exec(value)
  if (!match) return undefined
  const refresher = /;\s*refresher\s*=\s*(uac|uas)\b/i.exec(match[2]!)?.[1]?.toLowerCase()
  return { seconds: Number(match[1]), refresher: refresher as SessionExpires['refresher'] }
}

/** True when the interval a peer asks for is below ours: the request gets 422. */
export function tooSmall(message: SipMessage): boolean {
  const asked = sessionExpires(message)
  return asked !== undefined && asked.seconds < minSessionExpires
}

/**
 * Headers a 2xx of ours gets for a request that asks for a session timer, unless the application
 * set its own.
 */
export function answerHeaders(
  context: Context,
  dialog: Dialog | undefined,
  request: SipMessage,
  given: readonly HeaderLine[],
): HeaderLine[] {
  const own = sessionExpires({ headers: [...given] })
  if (own) {
    return own.refresher === 'uac' && supportsTimer(request) && !requires(given)
      ? [headerLine('Require', 'timer')]
      : []
  }
  const asked = sessionExpires(request)
  const session = dialog?.session
  // A timer that runs goes on with a peer that knows timers, also when its request names none.
  if (!asked && !(session && supportsTimer(request))) return []
  const configured = context.options.defaultRefresher
  const running = session && (session.ours ? 'uas' : 'uac')
  const refresher = asked?.refresher ?? running ?? (configured === 'none' ? undefined : configured)
  if (!refresher) return []
  const seconds = Math.max(minSessionExpires, asked?.seconds ?? session?.interval ?? 0)
  const lines = [headerLine('Session-Expires', `${seconds};refresher=${refresher}`)]
  // RFC 4028 §9: a UAC that is to refresh must know that we run the timer.
  if (refresher === 'uac' && !requires(given)) lines.push(headerLine('Require', 'timer'))
  return lines
}

function requires(headers: readonly HeaderLine[]): boolean {
  return /\btimer\b/.test(headerValue(headers, 'require') ?? '')
}

/** True for a request that offers a session timer or says it knows them (RFC 4028 §7.1). */
export function knowsTimer(request: Pick<SipMessage, 'headers'>): boolean {
  return headerValue(request.headers, 'session-expires') !== undefined || supportsTimer(request)
}

function supportsTimer(message: Pick<SipMessage, 'headers'>): boolean {
  return /\btimer\b/.test(headerValue(message.headers, 'supported') ?? '')
}

/**
 * Arms the session timer after a 2xx to INVITE or UPDATE. `sent` tells whether the request was
 * ours, `body` is the description we gave in this exchange. Without Session-Expires the peer has
 * given the timer up (RFC 4028 §7.2, §9): we go on refreshing, but no longer wait for its refreshes.
 */
export function armSession(
  context: Context,
  dialog: Dialog,
  response: SipMessage,
  sent: boolean,
  body: Buffer | undefined,
): void {
  const agreed = sessionExpires(response)
  if (!agreed && !dialog.session?.ours) {
    stopSession(dialog)
    return
  }
  if (agreed) {
    const ours = (agreed.refresher ?? 'uac') === (sent ? 'uac' : 'uas')
    dialog.session ??= { interval: 0, ours, timer: undefined, sdp: undefined }
    dialog.session.interval = Math.max(minSessionExpires, agreed.seconds)
    dialog.session.ours = ours
  }
  keepDescription(dialog, body)
  start(context, dialog)
}

/** A request of the application's with the running session timer in it, unless it has its own. */
export function withSession(dialog: Dialog, message: PartialMessage): PartialMessage {
  const { session } = dialog
  if (!session || headerValue(message.headers, 'session-expires') !== undefined) return message
  const value = `${session.interval};refresher=${session.ours ? 'uac' : 'uas'}`
  const lines = [headerLine('Session-Expires', value)]
  if (!supportsTimer(message)) lines.push(headerLine('Supported', 'timer'))
  return { ...message, headers: [...message.headers, ...lines] }
}

/** Remembers the description a refresh will repeat; needs a running timer. */
export function keepDescription(dialog: Dialog, body: Buffer | undefined): void {
  // A copy, since the buffer is a view on what the socket read at one go.
  if (dialog.session && body && dialog.session.ours) dialog.session.sdp = Buffer.from(body)
}

/** Ends the timer of a dialog that is gone. */
export function stopSession(dialog: Dialog): void {
  dialog.session?.timer?.clear()
  dialog.session = undefined
}

function start(context: Context, dialog: Dialog): void {
  const session = dialog.session!
  const { interval, ours } = session
  if (ours) wait(context, dialog, interval * 500 + context.random.int(-5000, 5001))
  else wait(context, dialog, interval * 1000)
}

/** Lets the timer run; then the session is refreshed, or ended when that was the peer's duty. */
function wait(context: Context, dialog: Dialog, ms: number): void {
  const session = dialog.session!
  session.timer?.clear()
  session.timer = context.clock.setTimeout(() => {
    session.timer = undefined
    if (!session.ours) {
      terminate(context, dialog, expired)
      return
    }
    refreshSession(context, dialog, (outcome) => {
      if (dialog.session !== session) return
      if (outcome === 'failed') terminate(context, dialog, expired)
      // After a 491 once more in 2.1 to 4 s (RFC 3261 §14.1).
      else if (outcome === 'glare') wait(context, dialog, context.random.int(2100, 4001))
    })
  }, ms)
}
