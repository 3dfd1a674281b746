import { inspect } from 'node:util'

const REDACTED = '[redacted]'

/**
 * A secret value (password, token, key). Whatever prints it (template strings, JSON, `inspect`,
 * the logger) sees `[redacted]`; only {@link Secret.reveal} gives the value, at the place of use.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  /** The value itself. Never pass the result to a log, an error or a process argument. */
  reveal(): string {
    return this.#value
  }

  /** Whether two secrets hold the same value. */
  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}
