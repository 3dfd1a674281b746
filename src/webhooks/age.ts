/** How long WhatsApp may go on trying to deliver an event, milliseconds: 7 days. */
export const OLDEST = 7 * 86_400_000

/** How far the clocks of WhatsApp and this machine may be apart, milliseconds. */
export const AHEAD = 5 * 60_000

/**
 * Whether an event of a time may still be believed.
 *
 * `stale`: older than WhatsApp delivers, so somebody kept it. `future`: more than {@link AHEAD} ahead of our
 * clock. Such an event is not believed either: it would stay inside the window for longer than its hash is
 * remembered, and could be played again. When all of them are in the future, this machine's clock is slow.
 *
 * @param at undefined for an event without a time, which is judged by its content alone
 */
export function ageOf(at: number | undefined, now: number): 'fresh' | 'stale' | 'future' {
  if (at === undefined) return 'fresh'
  if (at < now - OLDEST) return 'stale'
  return at > now + AHEAD ? 'future' : 'fresh'
}
