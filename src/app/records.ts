import type { RegistrationStore } from '../bridge/index.ts'
import { recordsKey } from '../config/index.ts'
import type { RecordsConfig } from '../config/types.ts'
import {
  type CredentialVault,
  createJournal,
  createRotationStore,
  fileVault,
  memoryVault,
  openSettingsDatabase,
  type RotationStore,
  type SettingsJournal,
} from '../settings/index.ts'
import type { Clock } from '../shared/clock.ts'
import { type CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { openRegistrations } from './registration-store.ts'

/** What is kept under `records.path`. */
export interface Records {
  journal: SettingsJournal
  rotations: RotationStore
  vault: CredentialVault
  registrations: RegistrationStore
  /** Why everything is in memory instead. */
  error: CausewayError | undefined
  close(): void
}

interface Deps {
  clock: Clock
  random: Random
  log: Logger
}

/**
 * Opens what is kept: the journal and the rotations under way, and with a key the passwords.
 *
 * @throws SETTINGS_RECORDS_UNUSABLE
 */
export function openRecords(config: RecordsConfig, deps: Deps): Records {
  const key = config.secret && recordsKey(config.secret.reveal())
  const open = recordsIn(config.path, deps)
  return key ? { ...open, vault: fileVault(config.path, key, deps) } : open
}

/** {@link openRecords}; a folder that cannot be used stops no call: everything is in memory then. */
export function openRecordsOrMemory(config: RecordsConfig, deps: Deps): Records {
  try {
    return openRecords(config, deps)
  } catch (error) {
    if (!isCausewayError(error)) throw error
    deps.log.error({ err: error }, 'records are in memory only')
    return { ...recordsIn(undefined, deps), error }
  }
}

function recordsIn(folder: string | undefined, deps: Deps): Records {
  const database = openSettingsDatabase(folder)
  const registrations = openRegistrations(folder, deps)
  return {
    journal: createJournal(database, deps),
    rotations: createRotationStore(database),
    vault: memoryVault(),
    registrations: registrations.store,
    error: undefined,
    close() {
      database.close()
      registrations.close()
    },
  }
}
