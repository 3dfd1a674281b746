import type { AppConnection } from './connection.ts'

interface Subscribers {
  list: AppConnection[]
  next: number
}

/** Which application gets a new request: round robin over the connections that asked for its method. */
export class Router {
  readonly #verbs = new Map<string, Subscribers>()

  /** Subscribes a connection to a method (lower case). Twice counts once. */
  add(verb: string, connection: AppConnection): void {
    const entry = this.#verbs.get(verb)
    if (!entry) this.#verbs.set(verb, { list: [connection], next: -1 })
    else if (!entry.list.includes(connection)) entry.list.push(connection)
  }

  /** Ends one subscription. */
  remove(verb: string, connection: AppConnection): void {
    const entry = this.#verbs.get(verb)
    if (!entry) return
    entry.list = entry.list.filter((other) => other !== connection)
    if (entry.list.length === 0) this.#verbs.delete(verb)
  }

  /** Ends every subscription of a connection that closed. */
  removeAll(connection: AppConnection): void {
    for (const verb of [...this.#verbs.keys()]) this.remove(verb, connection)
  }

  /** The connection whose turn it is, or undefined when nobody asked for the method. */
  pick(method: string): AppConnection | undefined {
    const entry = this.#verbs.get(method.toLowerCase())
    if (!entry) return undefined
    for (let tries = entry.list.length; tries > 0; tries--) {
      entry.next = (entry.next + 1) % entry.list.length
      const candidate = entry.list[entry.next]!
      if (candidate.open) return candidate
    }
    return undefined
  }

  /** Number of methods somebody is subscribed to. */
  get size(): number {
    return this.#verbs.size
  }
}
