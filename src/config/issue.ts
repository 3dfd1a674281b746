import { CausewayError, type ErrorCode } from '../shared/errors/index.ts'
import { looksSecret, maskLine } from './mask.ts'
import { formatPath, type Path, type Position, type YamlSource } from './source.ts'
import type { Config } from './types.ts'

/** What is said about one error or warning of a file. */
export interface IssueFacts {
  /** The key concerned. */
  path: Path
  /** Points at the key itself instead of its value: for unknown, duplicate and missing keys. */
  atKey?: boolean
  /** Overrides the position the path has. */
  position?: Position
  /** One sentence with the facts; no values of secrets or variables. */
  detail: string
  found?: string | undefined
  expected?: string | undefined
  /** The known key, value or name that was probably meant. */
  nearest?: string | undefined
  cause?: unknown
}

/** The line an issue is about (empty when its section is absent), secrets masked, and what of it to underline (columns count from 1). */
export interface Excerpt {
  line: number
  text: string
  column: number
  length: number
}

/** An error or warning about a place in a configuration file. */
export class ConfigIssue extends CausewayError {
  readonly file: string
  readonly line: number
  readonly column: number
  /** `trunks[0].targets`; empty for the file as a whole. */
  readonly path: string
  readonly found: string | undefined
  readonly expected: string | undefined
  readonly nearest: string | undefined
  readonly excerpt: Excerpt

  constructor(code: ErrorCode, source: YamlSource, facts: IssueFacts) {
    const { file } = source
    const path = formatPath(facts.path)
    const position =
      facts.position ?? (facts.atKey ? source.keyAt(facts.path) : source.valueAt(facts.path))
    const { line, column, length } = position
    super(code, {
      detail: facts.detail,
      place: `${file}:${line}:${column}${path ? ` ${path}` : ''}`,
      cause: facts.cause,
    })
    this.name = 'ConfigIssue'
    this.file = file
    this.line = line
    this.column = column
    this.path = path
    this.found = facts.found
    this.expected = facts.expected
    this.nearest = facts.nearest
    const shows = facts.position !== undefined || source.hasSection(facts.path)
    const key = String(facts.path.findLast((step) => typeof step === 'string') ?? '')
    const text = shows ? source.line(line) : ''
    // A secret on a line of its own has no key there to be known by.
    const hidden = looksSecret(key) && !text.includes(key)
    const masked = hidden ? { text: '', column } : maskLine(text, column)
    const room = masked.text.length - masked.column + 1
    const shown = Math.max(1, Math.min(length, room))
    this.excerpt = { line, text: masked.text, column: masked.column, length: shown }
  }

  override toJSON(): Record<string, unknown> {
    const { file, line, column, path, found, expected, nearest } = this
    return { ...super.toJSON(), file, line, column, path, found, expected, nearest }
  }
}

/** Everything that is wrong with a configuration, in the order of the file. */
export class ConfigErrors extends Error {
  readonly errors: readonly CausewayError[]
  readonly warnings: readonly CausewayError[]
  /** The section `http`, where all that is wrong lies elsewhere: it leads to the instance that runs. */
  readonly http: Config['http'] | undefined

  constructor(
    errors: readonly CausewayError[],
    warnings: readonly CausewayError[] = [],
    http?: Config['http'],
  ) {
    const lines = errors.map((error) => (error.place ? `${error.place}: ` : '') + error.message)
    super(lines.join('\n'))
    this.name = 'ConfigErrors'
    this.errors = errors
    this.warnings = warnings
    this.http = http
  }
}
