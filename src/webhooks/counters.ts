import type { WebhookField } from './types.ts'

/** What became of a delivery: one POST. */
export type DeliveryResult = 'accepted' | 'forged' | 'too_large' | 'refused_full' | 'malformed'

/** What became of an event in it. */
export type EventResult = 'handled' | 'duplicate' | 'stale' | 'future' | 'ignored' | 'failed'

/** A count with what it counts. */
export interface EventCount {
  field: WebhookField | 'other'
  result: EventResult
  count: number
}

/** Counts since the start. Every combination is bounded: fields this version does not know are `other`. */
export class WebhookCounters {
  readonly #deliveries = new Map<DeliveryResult, number>()
  readonly #events = new Map<string, EventCount>()

  delivery(result: DeliveryResult): void {
    this.#deliveries.set(result, (this.#deliveries.get(result) ?? 0) + 1)
  }

  event(field: WebhookField | 'other', result: EventResult): void {
    const key = `${field} ${result}`
    const entry = this.#events.get(key)
    if (entry) entry.count++
    else this.#events.set(key, { field, result, count: 1 })
  }

  deliveries(): { result: DeliveryResult; count: number }[] {
    return [...this.#deliveries].map(([result, count]) => ({ result, count }))
  }

  events(): EventCount[] {
    return [...this.#events.values()]
  }
}
