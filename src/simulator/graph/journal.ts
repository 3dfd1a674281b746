/** One request the simulator saw. Holds no token. */
export interface GraphRequest {
  /** Milliseconds since the epoch. */
  at: number
  method: string
  /** Path with query. */
  url: string
  /** The app the token belongs to; undefined for unknown tokens. */
  appId: string | undefined
  body: unknown
}

/** The last requests, bounded. */
export class RequestJournal {
  readonly #kept: GraphRequest[] = []
  readonly #limit: number

  constructor(limit = 500) {
    this.#limit = limit
  }

  add(request: GraphRequest): void {
    this.#kept.push(request)
    if (this.#kept.length > this.#limit) this.#kept.shift()
  }

  /** Oldest first. */
  get all(): readonly GraphRequest[] {
    return this.#kept
  }

  /** Only requests of this method. */
  of(method: 'GET' | 'POST'): GraphRequest[] {
    return this.#kept.filter((request) => request.method === method)
  }
}
