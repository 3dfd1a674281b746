import type { ServerInvite } from './server-invite.ts'
import type { ServerNonInvite } from './server-non-invite.ts'

/** Either kind of server transaction. */
export type AnyServer = ServerInvite | ServerNonInvite

/** The server transactions, by all they are looked up with. */
export class ServerTable {
  readonly #byKey = new Map<string, AnyServer>()
  readonly #byId = new Map<string, AnyServer>()
  /** By Call-ID, CSeq, From tag and method: for merged requests and the ACK of a 2xx. */
  readonly #byCall = new Map<string, AnyServer>()

  /** Transactions; the largest of the tables, so that a leak in any of them shows. */
  get size(): number {
    return Math.max(this.#byKey.size, this.#byId.size, this.#byCall.size)
  }

  add(transaction: AnyServer): void {
    this.#byKey.set(transaction.key, transaction)
    this.#byId.set(transaction.id, transaction)
    if (transaction.callKey !== undefined) this.#byCall.set(transaction.callKey, transaction)
  }

  remove(transaction: AnyServer): void {
    this.#byKey.delete(transaction.key)
    this.#byId.delete(transaction.id)
    const { callKey } = transaction
    if (callKey !== undefined && this.#byCall.get(callKey) === transaction) {
      this.#byCall.delete(callKey)
    }
  }

  byKey(key: string): AnyServer | undefined {
    return this.#byKey.get(key)
  }

  byId(id: string): AnyServer | undefined {
    return this.#byId.get(id)
  }

  byCall(callKey: string): AnyServer | undefined {
    return this.#byCall.get(callKey)
  }

  clear(): void {
    this.#byKey.clear()
    this.#byId.clear()
    this.#byCall.clear()
  }
}
