import type { ErrorCode } from '../../shared/errors/index.ts'
import { ConfigIssue, type IssueFacts } from '../issue.ts'
import type { Draft } from '../schema-walk.ts'
import { formatPath, type Path, type YamlSource } from '../source.ts'

/** What a rule between keys sees and where it reports. */
export class CheckContext {
  /** What could be read of the file. */
  readonly draft: Draft
  readonly errors: ConfigIssue[] = []
  readonly warnings: ConfigIssue[] = []
  readonly #source: YamlSource
  readonly #root: unknown
  readonly #wrong: string[]

  /** Milliseconds since the epoch, for dates that must not lie in the past. */
  readonly now: number
  /** Whether a date that has passed since the file was written makes it bad. */
  readonly expired: 'error' | 'warning'

  /** `wrong` are the key paths already complained about. */
  constructor(
    draft: Draft,
    source: YamlSource,
    root: unknown,
    wrong: readonly string[],
    time: { now: number; expired: 'error' | 'warning' },
  ) {
    this.draft = draft
    this.now = time.now
    this.expired = time.expired
    this.#source = source
    this.#root = root
    this.#wrong = [...wrong]
  }

  /** A contradiction: what was found and what is expected belong to it (contract section 2). */
  error(code: ErrorCode, facts: IssueFacts & { found: string; expected: string }): void {
    this.errors.push(new ConfigIssue(code, this.#source, facts))
  }

  warn(code: ErrorCode, facts: IssueFacts): void {
    this.warnings.push(new ConfigIssue(code, this.#source, facts))
  }

  /** Marks a path as wrong, so that the rules that build on it hold back. */
  hold(path: Path): void {
    this.#wrong.push(formatPath(path))
  }

  /** Whether the file itself has something at a path, right or wrong. */
  given(path: Path): boolean {
    let value = this.#root
    for (const step of path) {
      if (typeof value !== 'object' || value === null) return false
      value = (value as Record<string | number, unknown>)[step]
    }
    return value !== undefined && value !== null
  }

  /** Whether something at, above or below a path is wrong already, so that rules on it hold back. */
  isWrong(path: Path): boolean {
    const key = formatPath(path)
    return this.#wrong.some(
      (wrong) => wrong === key || isWithin(wrong, key) || isWithin(key, wrong),
    )
  }
}

function isWithin(inner: string, outer: string): boolean {
  return inner.startsWith(outer) && /^[.[]/.test(inner.slice(outer.length))
}

/** A rule between keys, or about a value that is allowed but should be noticed. */
export type Rule = (context: CheckContext) => void
