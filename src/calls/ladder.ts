/** One arrow of a call's ladder diagram. */
export interface LadderEntry {
  /** Milliseconds since the call began. */
  readonly t: number
  readonly leg: 'whatsapp' | 'pbx'
  /** Seen from Causeway. */
  readonly dir: 'in' | 'out'
  /** Method, or status and reason: `INVITE`, `180 Ringing`. */
  readonly what: string
  readonly note?: string
}

/** Arrows kept of one call; what comes later on a very busy call is counted only. */
export const LADDER_LIMIT = 64

/** The messages of one call in order, bounded by {@link LADDER_LIMIT}. */
export class Ladder {
  readonly entries: LadderEntry[] = []
  /** Arrows not kept. */
  dropped = 0

  add(entry: LadderEntry): void {
    if (this.entries.length < LADDER_LIMIT) this.entries.push(entry)
    // The end matters more than one more session refresh: the last place is overwritten.
    else {
      this.entries[LADDER_LIMIT - 1] = entry
      this.dropped++
    }
  }
}
