import type { DatabaseSync } from 'node:sqlite'
import { mergeReports, type WhatsAppReport, withReport } from '../calls/index.ts'
import type { CallHistoryConfig } from '../config/types.ts'
import { openDatabase, readDatabase } from './database.ts'
import { type CallFilter, type Cursor, formatCursor } from './filter.ts'
import { CallQuery } from './query.ts'
import { parseRecord, type StoredCall, storedCall, wholeText } from './stored.ts'

/** Calls removed in one go, so that a write waits for no more than a few milliseconds. */
const PRUNE_STEP = 200
/** Free pages given back to the file system in one go. */
const VACUUM_PAGES = 256
/** Largest file that is written anew when a consumer is forgotten, bytes: a second or so. */
const VACUUM_SIZE = 64 * 1024 * 1024
/** Matching calls are counted up to here: more than anybody pages through by number. */
export const COUNT_LIMIT = 10_000
/** How far apart WhatsApp's clock, in whole seconds, and ours may be, milliseconds. */
export const APART = 5000

/** How much is kept. */
export type Retention = Pick<CallHistoryConfig, 'keep' | 'maxSize' | 'maxCalls'>

/** A call as WhatsApp's webhook describes it, where its id is not known to us. */
export interface CallHint {
  number: string
  /** Every name of the consumer: `+E.164`, BSUID. */
  consumers: readonly string[]
  /** Milliseconds since the Unix epoch. */
  at: number
}

/** A page of the list. */
export interface Page {
  /** JSON of each call, newest first. */
  texts: string[]
  /** Place of the last call; undefined when it is the last there is. */
  next: string | undefined
}

/** What is wanted of the list. */
export interface PageOptions {
  before?: Cursor | undefined
  skip?: number
  limit: number
  /** Whether ladder and figures are wanted. */
  detail: boolean
}

/** A record that waits for records.push. */
export interface DueRecord {
  seq: number
  revision: number
  id: string
  text: string
}

/** How much there is. */
export interface StoreFigures {
  calls: number
  /** Size of the file; what was freed in it and not given back included. */
  bytes: number
}

const UPSERT = `INSERT INTO call
  (id, wacid, direction, number, trunk, consumer, result, code, started_at, ended_at, push_due)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    wacid = excluded.wacid, trunk = excluded.trunk, result = excluded.result, code = excluded.code,
    ended_at = excluded.ended_at, revision = revision + 1,
    push_due = coalesce(excluded.push_due, push_due)
  RETURNING seq, revision`

/** The call history in an open database. Every method may throw what the database throws. */
export class CallStore {
  readonly #database: DatabaseSync
  readonly #query: CallQuery
  #calls = 0

  /**
   * @param folder `records.path`
   * @param pause lets other work pass between two slices of a long search
   * @throws what {@link openDatabase} throws, or with `readOnly` {@link readDatabase}
   */
  constructor(
    folder: string,
    options: { pause?: () => Promise<void>; readOnly?: boolean; busy?: number } = {},
  ) {
    this.#database = options.readOnly ? readDatabase(folder) : openDatabase(folder, options.busy)
    this.#query = new CallQuery(this.#database, options.pause ?? (async () => {}))
    this.recount()
  }

  /** The database itself, for tests. */
  get database(): DatabaseSync {
    return this.#database
  }

  figures(): StoreFigures {
    return { calls: this.#calls, bytes: this.#pages('page_count') * this.#pages('page_size') }
  }

  /** Counts anew: another process may have removed calls. */
  recount(): void {
    this.#calls = Number(this.#one('SELECT count(*) AS n FROM call')['n'])
  }

  /**
   * Writes calls in one transaction; a call that is there already is replaced.
   *
   * @param pushDue when they are to be sent to records.push; null: not at all
   */
  write(calls: readonly StoredCall[], pushDue: number | null): void {
    let added = 0
    this.#transaction(() => {
      for (const call of calls) if (this.#put(call, pushDue)) added++
    })
    this.#calls += added
  }

  /** One record whole, as JSON. */
  get(id: string): string | undefined {
    const row = this.#database
      .prepare(
        'SELECT r.summary, r.detail FROM call AS c JOIN record AS r USING (seq) WHERE id = ?',
      )
      .get(id)
    return row && wholeText(String(row['summary']), String(row['detail']))
  }

  /** A part of the list of calls. */
  async page(filter: CallFilter, options: PageOptions): Promise<Page> {
    const { before, skip = 0, limit, detail } = options
    // One more tells whether there is more.
    const rows = await this.#query.rows(filter, { before, skip, limit: limit + 1, detail })
    const shown = rows.slice(0, limit)
    const last = shown.at(-1)
    return {
      texts: shown.map((row) => (detail ? wholeText(row.summary, row.detail) : row.summary)),
      next: rows.length > limit && last ? formatCursor(last.place) : undefined,
    }
  }

  /** How many calls match, up to {@link COUNT_LIMIT}; all calls are counted exactly. */
  async count(filter: CallFilter): Promise<number> {
    const all = Object.values(filter).every((value) => value === undefined)
    return all ? this.#calls : await this.#query.count(filter, COUNT_LIMIT)
  }

  /**
   * Adds what WhatsApp's webhooks say to the call they name, by WhatsApp's id or else by what the webhook says
   * of number, consumer and time.
   *
   * @returns the record as JSON; undefined when there is no such call
   */
  tell(
    wacid: string,
    told: Partial<WhatsAppReport>,
    options: { hint?: CallHint | undefined; pushDue: number | null },
  ): string | undefined {
    const id = this.#idOf(wacid) ?? (options.hint && this.#idByHint(options.hint))
    const text = id === undefined ? undefined : this.get(id)
    if (text === undefined) return undefined
    const known = parseRecord(text)
    const whatsapp = { wacid, ...known.whatsapp }
    const report = mergeReports(known.whatsappReport, told)
    const record = withReport({ ...known, whatsapp }, report)
    this.write([storedCall(record)], options.pushDue)
    return JSON.stringify(record)
  }

  /**
   * Removes every call of a consumer, for good: their place is overwritten and the log is emptied. A file of
   * ordinary size is written anew too, since unused parts of its pages may hold what once stood there.
   * @returns how many
   */
  forget(consumer: string): number {
    this.#database.exec('PRAGMA secure_delete = ON')
    try {
      let removed = 0
      for (;;) {
        const step = this.#remove('SELECT seq FROM call WHERE consumer = ? LIMIT ?', consumer)
        removed += step
        if (step < PRUNE_STEP) break
      }
      if (removed > 0 && this.figures().bytes <= VACUUM_SIZE) this.#database.exec('VACUUM')
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return removed
    } finally {
      this.#database.exec('PRAGMA secure_delete = OFF')
    }
  }

  /**
   * Removes some of what is too old or too much, the oldest first.
   * @returns whether there may be more to do
   */
  prune({ keep, maxSize, maxCalls }: Retention, now: number): boolean {
    const oldest = 'ORDER BY started_at, seq LIMIT ?'
    if (keep > 0) {
      const select = `SELECT seq FROM call WHERE started_at < ? ${oldest}`
      if (this.#remove(select, now - keep) > 0) return true
    }
    if (maxCalls > 0 && this.#calls > maxCalls) {
      const most = Math.min(PRUNE_STEP, this.#calls - maxCalls)
      if (this.#remove(`SELECT seq FROM call ${oldest}`, undefined, most) > 0) return true
    }
    const free = this.#pages('freelist_count')
    const used = (this.#pages('page_count') - free) * this.#pages('page_size')
    if (maxSize > 0 && used > maxSize) {
      if (this.#remove(`SELECT seq FROM call ${oldest}`) > 0) return true
    }
    if (free < VACUUM_PAGES) return false
    this.#database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`)
    return this.#pages('freelist_count') < free
  }

  /** Records whose time for records.push has come, the oldest first, without those that are on their way. */
  due(now: number, limit: number, except: readonly number[]): DueRecord[] {
    const marks = except.map(() => '?').join()
    return this.#database
      .prepare(
        `SELECT seq, revision, id, summary, detail FROM call JOIN record USING (seq)
         WHERE push_due <= ? AND seq NOT IN (${marks}) ORDER BY push_due, seq LIMIT ?`,
      )
      .all(now, ...except, limit)
      .map((row) => ({
        seq: Number(row['seq']),
        revision: Number(row['revision']),
        id: String(row['id']),
        text: wholeText(String(row['summary']), String(row['detail'])),
      }))
  }

  /** Records that wait for records.push. */
  waiting(): number {
    return Number(this.#one('SELECT count(*) AS n FROM call WHERE push_due IS NOT NULL')['n'])
  }

  /** A record was delivered; a change that came meanwhile is still to be sent. */
  pushed({ seq, revision }: Pick<DueRecord, 'seq' | 'revision'>): void {
    this.#database
      .prepare('UPDATE call SET push_due = NULL WHERE seq = ? AND revision = ?')
      .run(seq, revision)
  }

  close(): void {
    this.#database.close()
  }

  #put(call: StoredCall, pushDue: number | null): boolean {
    const { id, wacid, direction, number, trunk, consumer, result, code } = call
    const { startedAt, endedAt, summary, detail } = call
    const keys = [id, wacid, direction, number, trunk, consumer, result, code]
    const row = this.#statement('upsert', UPSERT).get(...keys, startedAt, endedAt, pushDue)!
    const seq = Number(row['seq'])
    const replace = 'INSERT OR REPLACE INTO record (seq, summary, detail) VALUES (?, ?, ?)'
    this.#statement('record', replace).run(seq, summary, detail)
    return row['revision'] === 1
  }

  #idOf(wacid: string): string | undefined {
    const row = this.#statement('wacid', 'SELECT id FROM call WHERE wacid = ?').get(wacid)
    return row && String(row['id'])
  }

  #idByHint({ number, consumers, at }: CallHint): string | undefined {
    const statement = this.#statement(
      'hint',
      `SELECT id FROM call WHERE consumer = ? AND number = ? AND direction = 'business-initiated'
       AND wacid IS NULL AND started_at <= ? AND ended_at >= ? ORDER BY started_at DESC LIMIT 1`,
    )
    for (const consumer of consumers) {
      const row = statement.get(consumer, number, at + APART, at - APART)
      if (row) return String(row['id'])
    }
    return undefined
  }

  /** Removes the calls that a query names by `seq`; its last parameter is how many. */
  #remove(select: string, value?: string | number, most = PRUNE_STEP): number {
    const values = value === undefined ? [most] : [value, most]
    let removed = 0
    this.#transaction(() => {
      const rows = this.#database.prepare(select).all(...values)
      for (const { seq } of rows) {
        this.#statement('drop record', 'DELETE FROM record WHERE seq = ?').run(seq!)
        this.#statement('drop call', 'DELETE FROM call WHERE seq = ?').run(seq!)
      }
      removed = rows.length
    })
    this.#calls -= removed
    return removed
  }

  #transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      // A full disk has rolled back by itself.
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  readonly #prepared = new Map<string, ReturnType<DatabaseSync['prepare']>>()

  #statement(name: string, sql: string): ReturnType<DatabaseSync['prepare']> {
    let statement = this.#prepared.get(name)
    if (!statement) {
      statement = this.#database.prepare(sql)
      this.#prepared.set(name, statement)
    }
    return statement
  }

  #pages(pragma: 'page_count' | 'page_size' | 'freelist_count'): number {
    return Number(this.#statement(pragma, `PRAGMA ${pragma}`).get()![pragma])
  }

  #one(sql: string): Record<string, unknown> {
    return this.#database.prepare(sql).get()!
  }
}
