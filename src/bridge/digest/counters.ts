import type { Side } from '../admit/directory.ts'

/**
 * `checked`: the peer's digest. `challenged` without one, `good`, `stale` (asked again), `wrong`, `unknown`
 * (no password to check it with). `answered`: ours. `challenged` each challenge we answered, `unasked` sent
 * with a nonce of before, `refused` given up.
 */
export type DigestOutcome =
  | { role: 'checked'; result: 'challenged' | 'good' | 'stale' | 'wrong' | 'unknown' }
  | { role: 'answered'; result: 'challenged' | 'unasked' | 'refused' }

/** Digests of one side that came to the same. */
export type DigestCount = DigestOutcome & { side: Side; count: number }

/** Counts what becomes of digests. */
export class DigestCounters {
  readonly #counts = new Map<string, DigestCount>()

  /** The digest of a request of the peer's was looked at. */
  checked(side: Side, result: Extract<DigestOutcome, { role: 'checked' }>['result']): void {
    this.#add(side, { role: 'checked', result })
  }

  /** Something became of a digest of ours. */
  answered(side: Side, result: Extract<DigestOutcome, { role: 'answered' }>['result']): void {
    this.#add(side, { role: 'answered', result })
  }

  counts(): DigestCount[] {
    return [...this.#counts.values()].map((count) => ({ ...count }))
  }

  #add(side: Side, outcome: DigestOutcome): void {
    const key = `${side} ${outcome.role} ${outcome.result}`
    const known = this.#counts.get(key)
    if (known) known.count++
    else this.#counts.set(key, { ...outcome, side, count: 1 })
  }
}
