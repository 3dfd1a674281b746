import type { KeptMessage, Leg, Transcript } from './types.ts'

/** The messages of one call, the first and the last of them when there are too many. */
export class CallTranscript {
  readonly id: string
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number
  /** Call-IDs of its legs. */
  readonly callIds = new Set<string>()
  /** Messages not kept. */
  dropped = 0
  #messages: (KeptMessage & { leg: Leg })[] = []

  constructor(id: string, startedAt: number) {
    this.id = id
    this.startedAt = startedAt
  }

  get empty(): boolean {
    return this.#messages.length === 0
  }

  /**
   * Adds a message. Beyond `most` the one in the middle goes: how a call began and how it ended
   * matter more than what lies between.
   *
   * @returns by how many characters it has grown; less than nothing where it has shrunk
   */
  add(message: KeptMessage & { leg: Leg }, most: number): number {
    this.#messages.push(message)
    let grown = message.text.length
    while (this.#messages.length > most) {
      const [gone] = this.#messages.splice(Math.floor(most / 2), 1)
      grown -= gone!.text.length
      this.dropped++
    }
    return grown
  }

  /** Lets go of every message; returns their characters. */
  clear(): number {
    const bytes = this.#messages.reduce((sum, { text }) => sum + text.length, 0)
    this.#messages = []
    return bytes
  }

  /** As it stands, in the order of time: what was adopted came late. */
  view(): Transcript {
    const { id, startedAt, dropped } = this
    const messages = [...this.#messages].sort((a, b) => a.at - b.at)
    return { id, startedAt, messages, dropped }
  }
}
