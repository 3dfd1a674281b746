/** Who has to act for an error to go away. `user` is the person who calls or configures. */
export type Owner = 'causeway' | 'pbx' | 'whatsapp' | 'user'

/** One row of the error catalogue. */
export interface ErrorDefinition {
  /** One line: what happened. */
  readonly summary: string
  /** Why it happens, in a sentence. */
  readonly cause: string
  /** What to do about it, in the imperative. */
  readonly fix: string
  readonly owner: Owner
  /** Whether the same attempt may succeed later without a change. */
  readonly retryable: boolean
  /** SIP status the other side is given when a call ends on this error. */
  readonly sip?: number
  /** Q.850 cause for the Reason header (RFC 3326) of that status. */
  readonly q850?: number
}

/** Keeps the literal code names while checking every row. */
export function defineErrors<const T extends Record<string, ErrorDefinition>>(rows: T): T {
  return rows
}
