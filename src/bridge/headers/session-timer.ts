/** Shortest session interval, seconds (RFC 4028 §5). */
const SHORTEST = 90

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
