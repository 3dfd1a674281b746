import type { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../shared/clock.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import { redactText } from '../shared/redact.ts'

/** What made Causeway look at a number's settings. */
export type JournalActor =
  | 'start'
  | 'reload'
  | 'retry'
  | 'drift check'
  | 'webhook'
  | 'credentials'
  | 'api'
  | `cli ${string}`

/**
 * `read` and `write` are requests to the Graph API, `plan` is what is about to be written, `result`
 * how an attempt ended, `rotate` a step of a rotation that is about to be made.
 */
export type JournalAction = 'read' | 'plan' | 'write' | 'result' | 'rotate'

/** One thing to write down. Secrets in it are replaced. */
export interface JournalNote {
  /** Name of the number in the configuration. */
  number: string
  who: JournalActor
  action: JournalAction
  /** JSON-like; what stood there. */
  before?: unknown
  /** JSON-like; what stands there now, or is to. */
  after?: unknown
  error?: unknown
}

/** Where the settings area reports what it does. */
export interface JournalSink {
  /** Never throws. */
  record(note: JournalNote): void
}

/** One entry as it is kept. */
export interface JournalEntry {
  /** Grows by time. */
  id: number
  /** Milliseconds since the Unix epoch. */
  at: number
  number: string
  who: string
  action: JournalAction
  before: unknown
  after: unknown
  error: { code: string; detail?: string } | null
}

/** The settings journal: written by {@link JournalSink.record}, read by its number. */
export interface SettingsJournal extends JournalSink {
  /** The last entries of a number, newest first. Never throws. */
  entries(number: string, limit?: number): JournalEntry[]
}

/** What stands in place of a secret. */
export const SECRET_MARK = '[redacted]'
/** Kept entries of a number: of changes and, apart from them, of what only looked. */
const KEPT = 2000
/** Entries of a number between two clean-ups. */
const PRUNE_EVERY = 64
const SECRET_KEY = /passw(or)?d|secret|token/i

/**
 * A journal in an open database. A failing disk stops no settings: it is logged, and the entry is
 * lost.
 *
 * @param kept entries of a number that stay: as many changes, and as many others
 */
export function createJournal(
  database: DatabaseSync,
  deps: { clock: Clock; log: Logger; kept?: number },
): SettingsJournal {
  const { clock, log, kept = KEPT } = deps
  const insert = database.prepare(
    'INSERT INTO journal (at, number, who, action, before, after, error) VALUES (?, ?, ?, ?, ?, ?, ?)',
  )
  const select = database.prepare('SELECT * FROM journal WHERE number = ? ORDER BY id DESC LIMIT ?')
  // Changes outlive looks: a year of checks pushes no write out.
  const prunes = ["('plan', 'write', 'rotate')", "('read', 'result')"].map((actions) =>
    database.prepare(
      `DELETE FROM journal WHERE number = ?1 AND action IN ${actions} AND id <= (
        SELECT id FROM journal WHERE number = ?1 AND action IN ${actions}
        ORDER BY id DESC LIMIT 1 OFFSET ?2)`,
    ),
  )
  const counts = new Map<string, number>()
  /** What was last read, by number: the same again is not written out again. */
  const lastRead = new Map<string, string>()

  function prune(number: string): void {
    const count = (counts.get(number) ?? 0) + 1
    counts.set(number, count)
    if (count % PRUNE_EVERY !== 1) return
    for (const statement of prunes) statement.run(number, kept)
    // What entries call unchanged may have gone: the next read is written out.
    lastRead.delete(number)
  }

  function write({ number, who, action, before, after, error }: JournalNote): void {
    prune(number)
    let told = textOf(after)
    if (action === 'read' && told !== null) {
      if (lastRead.get(number) === told) told = '{"unchanged":true}'
      else lastRead.set(number, told)
    }
    insert.run(clock.now(), number, who, action, textOf(before), told, errorOf(error))
  }

  return {
    record(note) {
      try {
        write(note)
      } catch (err) {
        log.error({ number: note.number, err }, 'settings journal failed')
      }
    },
    entries(number, limit = 100) {
      try {
        return select.all(number, limit).map(entryOf)
      } catch (err) {
        log.error({ number, err }, 'settings journal failed')
        return []
      }
    },
  }
}

/** A value as JSON, with {@link SECRET_MARK} in place of secrets; null for undefined. */
function textOf(value: unknown): string | null {
  if (value === undefined) return null
  return JSON.stringify(value, (key, inner: unknown) =>
    SECRET_KEY.test(key) && (typeof inner === 'string' || typeof inner === 'number')
      ? SECRET_MARK
      : inner,
  )
}

function errorOf(error: unknown): string | null {
  if (error === undefined) return null
  const {
    code,
    detail,
  }: Pick<CausewayError, 'code' | 'detail'> | { code: string; detail: string } = isCausewayError(
    error,
  )
    ? error
    : { code: 'UNKNOWN', detail: String(error) }
  return JSON.stringify({ code, ...(detail ? { detail: redactText(detail) } : {}) })
}

function entryOf(row: Record<string, unknown>): JournalEntry {
  const parsed = (column: string): unknown => {
    const text = row[column]
    return typeof text === 'string' ? JSON.parse(text) : null
  }
  return {
    id: Number(row['id']),
    at: Number(row['at']),
    number: String(row['number']),
    who: String(row['who']),
    action: row['action'] as JournalAction,
    before: parsed('before'),
    after: parsed('after'),
    error: parsed('error') as JournalEntry['error'],
  }
}

/** A sink that keeps nothing. */
export const noJournal: JournalSink = { record: () => {} }
