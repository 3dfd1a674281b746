import { definitionOf, type ErrorCode } from './catalogue.ts'
import type { ErrorDefinition, Owner } from './definition.ts'

/** What is known about one occurrence of an error. */
export interface ErrorContext {
  /** The facts of this occurrence; no secrets. Follows the summary in the message. */
  detail?: string
  /** Where: `causeway.yaml:12:5 trunks[0].targets`, `number support`, a Call-ID. */
  place?: string
  /** The error underneath. */
  cause?: unknown
  /** Overrides the catalogue's SIP status, when the peer's own status is passed on. */
  sip?: number
  /** Overrides the catalogue's Q.850 cause. */
  q850?: number
}

/** An error from the catalogue: code, cause, owner, fix and the facts of this occurrence. */
export class CausewayError extends Error {
  readonly code: ErrorCode
  readonly detail: string | undefined
  readonly place: string | undefined
  readonly #context: ErrorContext

  constructor(code: ErrorCode, context: ErrorContext = {}) {
    const definition = definitionOf(code)
    const detail = context.detail ? `: ${context.detail}` : ''
    super(`${code} ${definition.summary}${detail}`, { cause: context.cause })
    this.name = 'CausewayError'
    this.code = code
    this.detail = context.detail
    this.place = context.place
    this.#context = context
  }

  get definition(): ErrorDefinition {
    return definitionOf(this.code)
  }

  get owner(): Owner {
    return this.definition.owner
  }

  get retryable(): boolean {
    return this.definition.retryable
  }

  get fix(): string {
    return this.definition.fix
  }

  /** SIP status to answer with; 500 when the catalogue names none. */
  get sip(): number {
    return this.#context.sip ?? this.definition.sip ?? 500
  }

  /** Q.850 cause to answer with; 41 (temporary failure) when the catalogue names none. */
  get q850(): number {
    return this.#context.q850 ?? this.definition.q850 ?? 41
  }

  /** The error as data, for JSON output and the HTTP API. */
  toJSON(): Record<string, unknown> {
    const { summary, cause, fix, owner, retryable } = this.definition
    return {
      code: this.code,
      summary,
      detail: this.detail,
      place: this.place,
      cause,
      fix,
      owner,
      retryable,
    }
  }
}

/** Narrows an unknown caught value. */
export function isCausewayError(value: unknown): value is CausewayError {
  return value instanceof CausewayError
}
