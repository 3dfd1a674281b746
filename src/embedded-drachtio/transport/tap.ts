import type { Clock } from '../../shared/clock.ts'
import type { WireMessage } from '../../shared/wire-message.ts'
import type { Flow } from '../message/index.ts'

/** Octets that may wait, for the batch and for those who take it; messages beyond them are lost. */
const WAITING = 16 * 1024 * 1024
/** Octets from which a batch is handed on at once. */
const BATCH = 256 * 1024
/** How long a message may wait for others, milliseconds. */
const DELAY = 20

/** Messages that were tapped, in their order. */
export interface TapBatch {
  messages: WireMessage[]
  /** Octets of all of them; whoever takes the batch gives them back by {@link MessageTap.taken}. */
  bytes: number
  /** Messages lost since the last batch, because nobody took the former ones in time. */
  lost: number
}

/**
 * Copies messages on their way in and out, and hands them on in batches. A batch waits for no answer:
 * who does not keep up loses messages, and no call waits for him.
 */
export class MessageTap {
  readonly #clock: Clock
  readonly #take: (batch: TapBatch) => void
  #messages: WireMessage[] = []
  #batched = 0
  #waiting = 0
  #lost = 0
  /** Wall clock minus monotonic clock, taken anew for each batch. */
  #epoch = 0
  #timed = false

  constructor(clock: Clock, take: (batch: TapBatch) => void) {
    this.#clock = clock
    this.#take = take
  }

  /** Takes a copy of a message. */
  see(dir: WireMessage['dir'], bytes: Buffer, flow: Flow): void {
    if (this.#waiting + bytes.length > WAITING) {
      this.#lost++
      return
    }
    if (!this.#timed) this.#open()
    this.#waiting += bytes.length
    this.#batched += bytes.length
    this.#messages.push({
      at: this.#epoch + this.#clock.monotonic(),
      dir,
      transport: flow.transport,
      localAddress: flow.localAddress,
      localPort: flow.localPort,
      remoteAddress: flow.remoteAddress,
      remotePort: flow.remotePort,
      text: bytes.toString(),
    })
    if (this.#batched >= BATCH) this.flush()
  }

  /** Octets of a batch are done with. */
  taken(bytes: number): void {
    this.#waiting -= bytes
  }

  /** Hands on what there is. */
  flush(): void {
    if (this.#messages.length === 0) return
    const batch = { messages: this.#messages, bytes: this.#batched, lost: this.#lost }
    this.#messages = []
    this.#batched = 0
    this.#lost = 0
    this.#take(batch)
  }

  #open(): void {
    this.#timed = true
    this.#epoch = this.#clock.now() - this.#clock.monotonic()
    this.#clock.setTimeout(() => {
      this.#timed = false
      this.flush()
    }, DELAY)
  }
}
