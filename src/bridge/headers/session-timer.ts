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
 * The session timer of a 2xx to an INVITE of a PBX that knows timers (RFC 4028 §9). Where it asks for
 * one and leaves open who refreshes, the PBX does, so that no re-INVITE of ours disturbs it; where it
 * asks for none it is given the one our INVITEs offer, so that its call ends when we are gone. A
 * request that names the refresher is answered by the SIP server itself.
 */
export function agreedTimer(request: {
  header(name: string): string | undefined
}): Record<string, string> {
  if (!/(^|,)\s*timer\s*(,|$)/i.test(request.header('supported') ?? '')) return {}
  const expires = request.header('session-expires')
  if (expires !== undefined && /;\s*refresher\s*=/i.test(expires)) return {}
  const asked = expires === undefined ? OFFERED : secondsOf(expires)
  if (asked === undefined) return {}
  const seconds = Math.max(SHORTEST, asked, secondsOf(request.header('min-se')) ?? 0)
  return { 'Session-Expires': `${seconds};refresher=uac`, Require: 'timer' }
}
