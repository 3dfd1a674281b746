import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CausewayError } from '../shared/errors/index.ts'

/** Milliseconds to wait for another process, such as the command line, to finish its write. */
const BUSY = 5000

/**
 * With a write-ahead log nothing written is lost when the process is killed, whatever `synchronous`
 * is: the system has the pages. NORMAL leaves out the flush of each commit, so a power failure may
 * cost the last entries of the journal, never the file. What must survive that too, the steps of a
 * rotation, asks for FULL around its own writes.
 */
const SETUP = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS journal (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  number TEXT NOT NULL,
  who TEXT NOT NULL,
  action TEXT NOT NULL,
  before TEXT,
  after TEXT,
  error TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS journal_number ON journal (number, id);
CREATE TABLE IF NOT EXISTS rotation (
  number TEXT PRIMARY KEY,
  state TEXT NOT NULL
) STRICT;
`

/**
 * Opens `settings.db` in a folder, which is made when it is missing; without a folder a database in
 * memory.
 *
 * @throws SETTINGS_RECORDS_UNUSABLE
 */
export function openSettingsDatabase(folder: string | undefined): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    if (folder !== undefined) mkdirSync(folder, { recursive: true, mode: 0o700 })
    const path = folder === undefined ? ':memory:' : join(folder, 'settings.db')
    database = new DatabaseSync(path, { timeout: BUSY })
    database.exec(SETUP)
    return database
  } catch (cause) {
    database?.close()
    const detail = cause instanceof Error ? cause.message : String(cause)
    const place = folder ?? 'memory'
    throw new CausewayError('SETTINGS_RECORDS_UNUSABLE', { detail, place, cause })
  }
}
