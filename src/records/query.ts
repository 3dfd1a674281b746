import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import type { CallFilter, Cursor } from './filter.ts'

/** Rows of the index looked at between two pauses: a few milliseconds. */
const SLICE = 20_000

const COLUMNS = ['direction', 'number', 'trunk', 'wacid', 'consumer', 'result', 'code'] as const
/** Filters with an index of their own: what they choose is looked at in one go. */
const SELECTIVE = ['wacid', 'consumer'] as const

/** A part of the list between two places: `from` excluded, `to` included, newest first. */
interface Slice {
  from: Cursor
  to: Cursor
}

/** One row of an answer. */
export interface Row {
  place: Cursor
  summary: string
  detail: string
}

/**
 * Looks for calls in the order of the list, newest first. A filter that matches rarely has to look at many rows:
 * they are taken in slices with a pause between, in which calls that end are written.
 */
export class CallQuery {
  readonly #database: DatabaseSync
  readonly #pause: () => Promise<void>
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync, pause: () => Promise<void>) {
    this.#database = database
    this.#pause = pause
  }

  /**
   * Calls after a place in the list.
   *
   * @param skip matching calls to leave out first
   * @param detail whether ladder and figures are wanted
   */
  async rows(
    filter: CallFilter,
    options: { before: Cursor | undefined; skip: number; limit: number; detail: boolean },
  ): Promise<Row[]> {
    const found: Row[] = []
    let { skip } = options
    for await (const slice of this.#slices(filter, options.before)) {
      if (skip > 0) {
        const count = this.#count(filter, slice, skip + 1)
        if (count <= skip) {
          skip -= count
          continue
        }
      }
      const limit = options.limit - found.length
      found.push(...this.#rows(filter, slice, { limit, skip, detail: options.detail }))
      skip = 0
      if (found.length >= options.limit) break
    }
    return found
  }

  /** How many match, up to `most`. */
  async count(filter: CallFilter, most: number): Promise<number> {
    let count = 0
    for await (const slice of this.#slices(filter, undefined)) {
      count += this.#count(filter, slice, most - count)
      if (count >= most) break
    }
    return count
  }

  async *#slices(filter: CallFilter, before: Cursor | undefined): AsyncGenerator<Slice> {
    let from = startOf(filter, before)
    const end = { startedAt: (filter.since ?? 0) - 1, seq: Number.MAX_SAFE_INTEGER }
    const whole = SELECTIVE.some((name) => filter[name] !== undefined)
    for (;;) {
      const edge = whole
        ? undefined
        : this.#get(
            `SELECT started_at, seq FROM call WHERE (started_at, seq) < (?, ?) AND started_at >= ?
             ORDER BY started_at DESC, seq DESC LIMIT 1 OFFSET ${SLICE - 1}`,
          ).get(from.startedAt, from.seq, end.startedAt + 1)
      const to = edge ? placeOf(edge) : end
      yield { from, to }
      if (!edge) return
      from = to
      await this.#pause()
    }
  }

  #rows(
    filter: CallFilter,
    slice: Slice,
    { limit, skip, detail }: { limit: number; skip: number; detail: boolean },
  ): Row[] {
    const { sql, values } = where(filter, slice)
    // The rows first, by the narrow index; then what belongs to them.
    const statement = this.#get(
      `SELECT c.started_at, c.seq, r.summary, ${detail ? 'r.detail' : "'' AS detail"} FROM (
         SELECT started_at, seq FROM call WHERE ${sql}
         ORDER BY started_at DESC, seq DESC LIMIT ? OFFSET ?
       ) AS c JOIN record AS r ON r.seq = c.seq ORDER BY c.started_at DESC, c.seq DESC`,
    )
    return statement.all(...values, limit, skip).map((row) => ({
      place: placeOf(row),
      summary: String(row['summary']),
      detail: String(row['detail']),
    }))
  }

  #count(filter: CallFilter, slice: Slice, most: number): number {
    const { sql, values } = where(filter, slice)
    const statement = this.#get(
      `SELECT count(*) AS n FROM (SELECT 1 FROM call WHERE ${sql} LIMIT ?)`,
    )
    return Number(statement.get(...values, most)!['n'])
  }

  #get(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

function where(filter: CallFilter, { from, to }: Slice): { sql: string; values: SQLInputValue[] } {
  const parts = ['(started_at, seq) < (?, ?)', '(started_at, seq) >= (?, ?)']
  const values: SQLInputValue[] = [from.startedAt, from.seq, to.startedAt, to.seq]
  for (const name of COLUMNS) {
    const value = filter[name]
    if (value === undefined) continue
    parts.push(`${name} = ?`)
    values.push(value)
  }
  return { sql: parts.join(' AND '), values }
}

/** Where the list begins: after the cursor, and before `until`. */
function startOf({ until }: CallFilter, before: Cursor | undefined): Cursor {
  const top = { startedAt: until ?? Number.MAX_SAFE_INTEGER, seq: 0 }
  if (!before) return top
  return before.startedAt < top.startedAt ? before : top
}

function placeOf(row: Record<string, unknown>): Cursor {
  return { startedAt: Number(row['started_at']), seq: Number(row['seq']) }
}
