/**
 * Where a call is in its life. `preparing`: checked and given media; `calling`: the INVITE is on its
 * way to the other side; `ringing`; `answered`; `ended`.
 */
export type CallState = 'preparing' | 'calling' | 'ringing' | 'answered' | 'ended'

const LEGAL: Readonly<Record<CallState, readonly CallState[]>> = {
  preparing: ['calling', 'ended'],
  calling: ['ringing', 'answered', 'ended'],
  // Back to calling: the next target or the overflow trunk is tried after one that rang.
  ringing: ['calling', 'answered', 'ended'],
  answered: ['ended'],
  ended: [],
}

/** Whether a call may go from one state to the other. */
export function isLegal(from: CallState, to: CallState): boolean {
  return LEGAL[from].includes(to)
}
