import { Histogram, type HistogramState } from '../shared/histogram.ts'
import { GraphError } from './errors.ts'

/** What a request to the Graph API is for. */
export type GraphOperation =
  | 'settings_read'
  | 'settings_write'
  | 'permission_query'
  | 'permission_request'
  | 'other'

/** How one attempt ended. `network`: no answer, for a reason other than time. */
export type GraphOutcome = 'ok' | 'throttled' | '4xx' | '5xx' | 'timeout' | 'network' | 'malformed'

/** What became of the requests of one operation. */
export interface GraphCounts {
  operation: GraphOperation
  outcomes: ReadonlyMap<GraphOutcome, number>
  /** Seconds from each request to its answer, or to giving up. */
  duration: HistogramState
  /** Times a request waited for its turn, or to be sent again. */
  waits: number
  waitedSeconds: number
}

/** Seconds; an attempt is given up after 10. */
const BOUNDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Entry {
  outcomes: Map<GraphOutcome, number>
  duration: Histogram
  waits: number
  waited: number
}

/** Counts requests to the Graph API for every client it is handed to. */
export class GraphMeter {
  readonly #entries = new Map<GraphOperation, Entry>()

  /** One attempt ended after `ms` milliseconds; without an outcome it was none. */
  attempt(operation: GraphOperation, outcome: GraphOutcome | undefined, ms: number): void {
    if (outcome === undefined) return
    const { outcomes, duration } = this.#of(operation)
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1)
    duration.observe(ms / 1000)
  }

  /** A request waits `ms` milliseconds because the API is asked too often, or failed. */
  waits(operation: GraphOperation, ms: number): void {
    const entry = this.#of(operation)
    entry.waits++
    entry.waited += ms
  }

  counts(): GraphCounts[] {
    return [...this.#entries].map(([operation, { outcomes, duration, waits, waited }]) => ({
      operation,
      outcomes,
      duration: duration.state(),
      waits,
      waitedSeconds: waited / 1000,
    }))
  }

  #of(operation: GraphOperation): Entry {
    let entry = this.#entries.get(operation)
    if (!entry) {
      entry = { outcomes: new Map(), duration: new Histogram(BOUNDS), waits: 0, waited: 0 }
      this.#entries.set(operation, entry)
    }
    return entry
  }
}

/** What a request is for, by its path. */
export function operationOf({ pathname }: URL, writes: boolean): GraphOperation {
  switch (pathname.slice(pathname.lastIndexOf('/') + 1)) {
    case 'settings':
      return writes ? 'settings_write' : 'settings_read'
    case 'call_permissions':
      return 'permission_query'
    case 'messages':
      return 'permission_request'
    default:
      return 'other'
  }
}

/** The outcome that an error of an attempt is; undefined when nothing was sent. */
export function outcomeOfError(error: unknown): GraphOutcome | undefined {
  if (error instanceof GraphError) {
    if (error.throttling) return 'throttled'
    if (error.code === 'SETTINGS_MALFORMED_RESPONSE') return 'malformed'
    return error.httpStatus >= 500 ? '5xx' : '4xx'
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'SETTINGS_TOKEN_MISSING') return undefined
  if (code === 'SETTINGS_TIMEOUT') return 'timeout'
  return code === 'SETTINGS_MALFORMED_RESPONSE' ? 'malformed' : 'network'
}
