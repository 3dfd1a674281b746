import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type Binding, memoryStore, type RegistrationStore } from '../bridge/index.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { parseJson } from '../shared/json.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'

/** Milliseconds to wait for another process to finish its write. */
const BUSY = 2000

/** With a write-ahead log a contact survives `kill -9`; a power failure may cost the last ones. */
const SETUP = `
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS installation (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  key BLOB NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS contacts (
  trunk TEXT PRIMARY KEY,
  contacts TEXT NOT NULL
) STRICT;
`

/** What a store is opened with. */
interface Deps {
  random: Random
  log: Logger
}

/**
 * Opens `registrations.db` in a folder that is there; without a folder, or when it cannot be used,
 * nothing is remembered: registrations work, and PBXs register again after a restart.
 */
export function openRegistrations(
  folder: string | undefined,
  { random, log }: Deps,
): { store: RegistrationStore; close(): void } {
  if (folder === undefined) return { store: memoryStore(random), close() {} }
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(join(folder, 'registrations.db'), { timeout: BUSY })
    database.exec(SETUP)
    const store = new SqliteStore(database, random, log)
    // A damaged page shows when it is read: better here than in the middle of a start.
    store.installation()
    store.load()
    return { store, close: () => database?.close() }
  } catch (cause) {
    database?.close()
    log.error({ err: unusable(cause) }, 'registrations are not kept over a restart')
    return { store: memoryStore(random), close() {} }
  }
}

class SqliteStore implements RegistrationStore {
  readonly #database: DatabaseSync
  readonly #random: Random
  readonly #log: Logger

  constructor(database: DatabaseSync, random: Random, log: Logger) {
    this.#database = database
    this.#random = random
    this.#log = log
  }

  installation() {
    const read = this.#database.prepare('SELECT id, key FROM installation')
    const row = read.get() as { id: string; key: Uint8Array } | undefined
    if (row) return { id: row.id, key: Buffer.from(row.key) }
    const made = { id: this.#random.uuid(), key: this.#random.bytes(32) }
    this.#database
      .prepare('INSERT INTO installation (one, id, key) VALUES (1, ?, ?)')
      .run(made.id, made.key)
    return made
  }

  load(): Map<string, Binding[]> {
    const rows = this.#database.prepare('SELECT trunk, contacts FROM contacts').all()
    const found = new Map<string, Binding[]>()
    for (const { trunk, contacts } of rows as { trunk: string; contacts: string }[]) {
      const list: unknown = parseJson(contacts)
      if (Array.isArray(list)) found.set(trunk, list.filter(isBinding))
    }
    return found
  }

  save(trunk: string, bindings: readonly Binding[]): void {
    try {
      if (bindings.length === 0) {
        this.#database.prepare('DELETE FROM contacts WHERE trunk = ?').run(trunk)
      } else {
        this.#database
          .prepare('INSERT OR REPLACE INTO contacts (trunk, contacts) VALUES (?, ?)')
          .run(trunk, JSON.stringify(bindings))
      }
    } catch (cause) {
      this.#log.error({ err: unusable(cause), trunk }, 'a registration is not kept')
    }
  }
}

/** The file is ours; one of another version is taken as far as it fits. */
function isBinding(value: unknown): value is Binding {
  if (typeof value !== 'object' || value === null) return false
  const { uri, q, expiresAt, since, callId, cseq, source, path, userAgent } =
    value as Partial<Binding>
  return (
    [uri, callId, userAgent, source?.address, source?.transport].every(
      (text) => typeof text === 'string',
    ) &&
    [q, expiresAt, since, cseq, source?.port].every((number) => typeof number === 'number') &&
    Array.isArray(path)
  )
}

function unusable(cause: unknown): CausewayError {
  const detail = cause instanceof Error ? cause.message : String(cause)
  return new CausewayError('SETTINGS_RECORDS_UNUSABLE', { detail, cause })
}
