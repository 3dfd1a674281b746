import type { ClientAttempt } from './client-attempt.ts'
import type { ClientRequest } from './client-request.ts'

/** The client transactions, by all they are looked up with. */
export class ClientTable {
  readonly #byKey = new Map<string, ClientAttempt>()
  readonly #byId = new Map<string, ClientRequest>()
  /** Those that wait for a response on a stream, by the identifier of its flow. */
  readonly #byStream = new Map<number, Set<ClientAttempt>>()

  /** Transactions; the largest of the tables, so that a leak in any of them shows. */
  get size(): number {
    return Math.max(this.#byKey.size, this.#byId.size, this.#byStream.size)
  }

  add(attempt: ClientAttempt): void {
    this.#byKey.set(attempt.key, attempt)
  }

  remove(attempt: ClientAttempt): void {
    this.#byKey.delete(attempt.key)
  }

  byKey(key: string): ClientAttempt | undefined {
    return this.#byKey.get(key)
  }

  addRequest(request: ClientRequest): void {
    this.#byId.set(request.id, request)
  }

  /** A later request may have taken the same id: only this one is removed. */
  removeRequest(request: ClientRequest): void {
    if (this.#byId.get(request.id) === request) this.#byId.delete(request.id)
  }

  byId(id: string): ClientRequest | undefined {
    return this.#byId.get(id)
  }

  /** Notes that an attempt waits for its response on a stream. */
  usesStream(attempt: ClientAttempt, flowId: number): void {
    const attempts = this.#byStream.get(flowId)
    if (attempts) attempts.add(attempt)
    else this.#byStream.set(flowId, new Set([attempt]))
  }

  /** The attempt waits no more. */
  settled(attempt: ClientAttempt): void {
    if (!attempt.flow) return
    const attempts = this.#byStream.get(attempt.flow.id)
    if (attempts?.delete(attempt) && attempts.size === 0) this.#byStream.delete(attempt.flow.id)
  }

  /** Those that waited on a stream that has closed. */
  onStream(flowId: number): ClientAttempt[] {
    return [...(this.#byStream.get(flowId) ?? [])]
  }

  clear(): void {
    this.#byKey.clear()
    this.#byId.clear()
    this.#byStream.clear()
  }
}
