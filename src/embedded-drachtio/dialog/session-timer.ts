import type { Timer } from '../../shared/clock.ts'
import { type HeaderLine, headerLine, headerValue, type SipMessage } from '../message/index.ts'
import type { Context } from './context.ts'
import type { Dialog } from './dialog.ts'
import { refreshSession, terminate } from './own-requests.ts'

/** Smallest session interval we accept, seconds (RFC 4028 §5). */
export const minSessionExpires = 90

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
  if (!asked) return []
  const configured = context.options.defaultRefresher
  const refresher = asked.refresher ?? (configured === 'none' ? undefined : configured)
  if (!refresher) return []
  const seconds = Math.max(minSessionExpires, asked.seconds)
  const lines = [headerLine('Session-Expires', `${seconds};refresher=${refresher}`)]
  // RFC 4028 §9: a UAC that is to refresh must know that we run the timer.
  if (refresher === 'uac' && !requires(given)) lines.push(headerLine('Require', 'timer'))
  return lines
}

function requires(headers: readonly HeaderLine[]): boolean {
  return /\btimer\b/.test(headerValue(headers, 'require') ?? '')
}

function supportsTimer(message: SipMessage): boolean {
  return /\btimer\b/.test(headerValue(message.headers, 'supported') ?? '')
}

/**
 * Arms the session timer after a 2xx to INVITE or UPDATE. `sent` tells whether the request was
 * ours, `body` is the description we gave in this exchange. Without Session-Expires a running timer
 * goes on with its interval.
 */
export function armSession(
  context: Context,
  dialog: Dialog,
  response: SipMessage,
  sent: boolean,
  body: Buffer | undefined,
): void {
  const agreed = sessionExpires(response)
  if (!agreed && !dialog.session) return
  if (agreed) {
    const ours = (agreed.refresher ?? 'uac') === (sent ? 'uac' : 'uas')
    dialog.session ??= { interval: 0, ours, timer: undefined, sdp: undefined }
    dialog.session.interval = Math.max(minSessionExpires, agreed.seconds)
    dialog.session.ours = ours
  }
  keepDescription(dialog, body)
  start(context, dialog)
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
  session.timer?.clear()
  const spread = session.ours ? context.random.int(-5000, 5001) : 0
  const wait = session.ours ? session.interval * 500 + spread : session.interval * 1000
  session.timer = context.clock.setTimeout(() => {
    session.timer = undefined
    if (!session.ours) {
      terminate(context, dialog, 'Session timer expired')
      return
    }
    refreshSession(context, dialog, (outcome) => {
      if (dialog.session !== session) return
      if (outcome === 'failed') terminate(context, dialog, 'Session timer expired')
      else if (outcome === 'glare') retry(context, dialog)
    })
  }, wait)
}

/** After a 491 the refresh is tried again in 2.1 to 4 s (RFC 3261 §14.1, the Call-ID's owner). */
function retry(context: Context, dialog: Dialog): void {
  const session = dialog.session!
  session.timer = context.clock.setTimeout(
    () => {
      session.timer = undefined
      refreshSession(context, dialog, (outcome) => {
        if (dialog.session !== session) return
        if (outcome === 'failed') terminate(context, dialog, 'Session timer expired')
        else if (outcome === 'glare') retry(context, dialog)
      })
    },
    context.random.int(2100, 4001),
  )
}
