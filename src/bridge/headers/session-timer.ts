import type { Headers } from '../sip-port.ts'

/** Shortest session interval, seconds (RFC 4028 §5). */
const SHORTEST = 90
/** Longest session interval a peer may ask for in a 422, seconds: more is no timer. */
const LONGEST = 86_400

/**
 * Session interval offered to the PBX, seconds. It refreshes at half of that, and learns by a 481 that
 * its call is gone: of a Causeway that was killed, say.
 */
const OFFERED = 600

/**
 * The session timer of an INVITE to the PBX (RFC 4028 §7.1): the PBX refreshes when it knows timers, so
 * that no re-INVITE of ours disturbs it. Without one in its 2xx there is no timer.
 */
export function offeredTimer(seconds: number = OFFERED): Headers {
  return { 'Session-Expires': `${seconds};refresher=uas` }
}

/**
 * The session timer to send again with after a 422, which names the shortest interval the PBX takes
 * (RFC 4028 §7.4); undefined when it names none that is longer.
 */
export function longerTimer(
  response: { status: number; header(name: string): string | undefined },
  sent: Headers,
): Headers | undefined {
  const before = secondsOf(sent['Session-Expires'])
  const least = secondsOf(response.header('min-se'))
  if (response.status !== 422 || before === undefined || least === undefined) return undefined
  if (least <= before || least > LONGEST) return undefined
  return { ...offeredTimer(least), 'Min-SE': String(least) }
}

function secondsOf(value: string | undefined): number | undefined {
  const match = /^\s*(\d{1,9})\s*(;.*)?$/.exec(value ?? '')
  return match ? Number(match[1]) : undefined
}

/**
 * The session timer a 2xx agrees to, where the peer's request offers one and leaves open who
 * refreshes (RFC 4028 §9): the peer does, so that no re-INVITE of ours disturbs it. A request that
 * names the refresher is answered by the SIP server itself.
 */
export function agreedTimer(request: {
  header(name: string): string | undefined
}): Record<string, string> {
  const supported = request.header('supported') ?? ''
  const asked = /^\s*(\d{1,9})\s*(;.*)?$/.exec(request.header('session-expires') ?? '')
  if (!asked || /;\s*refresher\s*=/i.test(asked[2] ?? '')) return {}
  if (!/(^|,)\s*timer\s*(,|$)/i.test(supported)) return {}
  const seconds = Math.max(SHORTEST, Number(asked[1]))
  return { 'Session-Expires': `${seconds};refresher=uac`, Require: 'timer' }
}
