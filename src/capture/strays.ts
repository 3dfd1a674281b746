import type { Clock } from '../shared/clock.ts'
import type { KeptMessage } from './types.ts'

/** How long messages wait for their call, milliseconds: a challenge is answered in less. */
const PATIENCE = 10_000
/** Call-IDs, and characters of all their messages, that wait. */
const CALL_IDS = 2000
const SIZE = 4 * 1024 * 1024

interface Waiting {
  since: number
  size: number
  messages: KeptMessage[]
}

/**
 * Messages of no call yet: an INVITE and its challenge come before the call they lead to. A stranger
 * can send as many as he likes: the oldest go, and only they.
 */
export class Strays {
  readonly #clock: Clock
  // Insertion order is age.
  readonly #waiting = new Map<string, Waiting>()
  #size = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  keep(callId: string, message: KeptMessage): void {
    let entry = this.#waiting.get(callId)
    if (!entry) {
      entry = { since: this.#clock.monotonic(), size: 0, messages: [] }
      this.#waiting.set(callId, entry)
    }
    entry.messages.push(message)
    entry.size += message.text.length
    this.#size += message.text.length
    while (this.#waiting.size > CALL_IDS || this.#size > SIZE) this.#drop()
  }

  /** The messages of a Call-ID, which wait no more. */
  adopt(callId: string): KeptMessage[] {
    const entry = this.#waiting.get(callId)
    if (!entry) return []
    this.#waiting.delete(callId)
    this.#size -= entry.size
    return entry.messages
  }

  /** Lets go of those that have waited too long. */
  expire(): void {
    const before = this.#clock.monotonic() - PATIENCE
    for (const { since } of this.#waiting.values()) {
      if (since > before) return
      this.#drop()
    }
  }

  clear(): void {
    this.#waiting.clear()
    this.#size = 0
  }

  /** The oldest goes. */
  #drop(): void {
    for (const callId of this.#waiting.keys()) {
      this.adopt(callId)
      return
    }
  }
}
