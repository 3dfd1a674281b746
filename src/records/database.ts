import { closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'

/** Name of the file under `records.path`. */
export const CALLS_FILE = 'calls.db'

/** Milliseconds to wait for another process to finish its write. */
export const BUSY = 2000
/** Pages of the write-ahead log after which they are moved into the file, with a flush: 16 MiB. */
const CHECKPOINT_PAGES = 4000
/** Largest file whose pages are all looked at when it is opened, bytes: some tenths of a second. */
const CHECKED_SIZE = 32 * 1024 * 1024

/**
 * The steps from one version of the file to the next; never changed once released, only added to. `call` holds
 * what calls are searched by, in narrow rows and an index that answers every filter; `record` the rest.
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE call (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    wacid TEXT,
    direction TEXT NOT NULL,
    number TEXT NOT NULL,
    trunk TEXT NOT NULL,
    consumer TEXT NOT NULL,
    result TEXT NOT NULL,
    code TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER NOT NULL,
    revision INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE INDEX call_started ON call (started_at, seq, direction, number, trunk, result, code);
  CREATE INDEX call_consumer ON call (consumer, started_at);
  CREATE INDEX call_wacid ON call (wacid) WHERE wacid IS NOT NULL;
  CREATE TABLE record (
    seq INTEGER PRIMARY KEY,
    summary TEXT NOT NULL,
    detail TEXT NOT NULL
  ) STRICT;`,
  // When the record is to be sent to records.push; null: it is not, or has been.
  `ALTER TABLE call ADD COLUMN push_due INTEGER;
  CREATE INDEX call_push ON call (push_due) WHERE push_due IS NOT NULL;`,
]

/** The version this program writes. */
export const SCHEMA_VERSION = MIGRATIONS.length

/**
 * Opens `calls.db` in a folder for writing; folder and file are made where they are missing, older versions
 * are brought up to date. With a write-ahead log nothing committed is lost when the process is killed: the
 * system has the pages. `synchronous = NORMAL` leaves out the flush of each commit, so a power failure may
 * cost the calls of the last seconds, never the file.
 *
 * @throws APP_RECORDS_NEWER, APP_RECORDS_CORRUPT (the caller sets the file aside), APP_RECORDS_LOCKED, APP_RECORDS_FULL,
 *   APP_RECORDS_UNUSABLE
 */
export function openDatabase(folder: string, busy = BUSY): DatabaseSync {
  const path = join(folder, CALLS_FILE)
  let database: DatabaseSync | undefined
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    // Looked at without a write, so that a newer file stays as it is.
    if (existsSync(path) && statSync(path).size > 0) refuseNewer(path)
    // For its owner alone, also in a folder others may enter; the log takes after the file.
    else closeSync(openSync(path, 'a', 0o600))
    database = new DatabaseSync(path, { timeout: busy })
    database.exec('PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;')
    database.exec(`PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};`)
    migrate(database)
    check(database, path)
    return database
  } catch (cause) {
    database?.close()
    throw recordsError(cause, path)
  }
}

/**
 * Opens `calls.db` in a folder for reading alone, beside an instance that may be running.
 *
 * @throws APP_RECORDS_NONE, APP_RECORDS_NEWER, APP_RECORDS_UNUSABLE
 */
export function readDatabase(folder: string): DatabaseSync {
  const path = join(folder, CALLS_FILE)
  if (!existsSync(path)) throw new CausewayError('APP_RECORDS_NONE', { place: path })
  let database: DatabaseSync | undefined
  try {
    refuseNewer(path)
    database = new DatabaseSync(path, { timeout: BUSY, readOnly: true })
    if (versionOf(database) === 0) throw new CausewayError('APP_RECORDS_NONE', { place: path })
    return database
  } catch (cause) {
    database?.close()
    const error = recordsError(cause, path)
    if (error.code !== 'APP_RECORDS_CORRUPT') throw error
    // A reader sets nothing aside.
    const detail = `it is damaged: ${error.detail}`
    throw new CausewayError('APP_RECORDS_UNUSABLE', { place: path, detail, cause })
  }
}

/** Renames a damaged file, with its log, to a name with the date; the new path. */
export function setAside(folder: string, now: number): string {
  const path = join(folder, CALLS_FILE)
  const stamp = new Date(now)
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')
  let target = `${path}.damaged-${stamp}`
  for (let n = 2; existsSync(target); n++) target = `${path}.damaged-${stamp}-${n}`
  for (const tail of ['', '-wal', '-shm']) {
    if (existsSync(path + tail)) renameSync(path + tail, target + tail)
  }
  return target
}

/** Any failure of the database or the folder as a coded error. */
export function recordsError(cause: unknown, path: string): CausewayError {
  if (isCausewayError(cause)) return cause
  const { message, errcode, errstr } = cause as Error & { errcode?: number; errstr?: string }
  // The low byte is the error, the rest says more about it (sqlite.org/rescode.html).
  const code = CODES[(errcode ?? 0) & 0xff] ?? 'APP_RECORDS_UNUSABLE'
  const detail =
    errstr === undefined || message.includes(errstr) ? message : `${message} (${errstr})`
  return new CausewayError(code, { detail, place: path, cause })
}

const CODES: Readonly<
  Record<
    number,
    'APP_RECORDS_LOCKED' | 'APP_RECORDS_CORRUPT' | 'APP_RECORDS_FULL' | 'APP_RECORDS_UNUSABLE'
  >
> = {
  5: 'APP_RECORDS_LOCKED',
  6: 'APP_RECORDS_LOCKED',
  11: 'APP_RECORDS_CORRUPT',
  13: 'APP_RECORDS_FULL',
  26: 'APP_RECORDS_CORRUPT',
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()!['user_version'])
}

function refuseNewer(path: string): void {
  const database = new DatabaseSync(path, { timeout: BUSY, readOnly: true })
  try {
    const version = versionOf(database)
    if (version <= SCHEMA_VERSION) return
    const detail = `version ${version}, this Causeway knows ${SCHEMA_VERSION}`
    throw new CausewayError('APP_RECORDS_NEWER', { detail, place: path })
  } finally {
    database.close()
  }
}

function migrate(database: DatabaseSync): void {
  if (versionOf(database) >= SCHEMA_VERSION) return
  database.exec('BEGIN IMMEDIATE')
  try {
    // Read again under the lock: another process may have been quicker.
    for (let version = versionOf(database); version < SCHEMA_VERSION; version++) {
      database.exec(`${MIGRATIONS[version]}; PRAGMA user_version = ${version + 1};`)
    }
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}

/**
 * Whether the file holds what it should. All pages of a small file are looked at; of a large one, which would
 * take seconds, the newest call. Damage elsewhere is met when it is read.
 */
function check(database: DatabaseSync, path: string): void {
  if (statSync(path).size <= CHECKED_SIZE) {
    const [found] = database.prepare('PRAGMA quick_check(1)').all()
    const said = String(found?.['quick_check'])
    if (said !== 'ok') throw new CausewayError('APP_RECORDS_CORRUPT', { detail: said, place: path })
    return
  }
  database
    .prepare(
      'SELECT * FROM call JOIN record USING (seq) ORDER BY started_at DESC, seq DESC LIMIT 1',
    )
    .get()
}
