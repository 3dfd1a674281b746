import { existsSync } from 'node:fs'
import type { RecordsConfig } from '../../config/types.ts'
import {
  createJournal,
  type JournalSink,
  noJournal,
  openSettingsDatabase,
} from '../../settings/index.ts'
import { systemClock } from '../../shared/clock.ts'
import { isCausewayError } from '../../shared/errors/index.ts'
import { createLogger } from '../../shared/log.ts'
import type { Io } from '../io.ts'
import { formatIssue } from '../report.ts'
import { paintFor } from '../style.ts'

/** A journal and its end. */
export interface OpenJournal {
  journal: JournalSink
  close(): void
}

/**
 * The settings journal under `records.path`, for a verb. One that only looks makes no folder: it is
 * noted where there is a journal already. A folder that cannot be used is told and keeps nobody from
 * their work.
 *
 * @param writes whether the verb changes settings
 */
export function openJournal({ path }: RecordsConfig, writes: boolean, io: Io): OpenJournal {
  const none = { journal: noJournal, close: () => {} }
  if (!writes && !existsSync(path)) return none
  try {
    const database = openSettingsDatabase(path)
    const log = createLogger({ level: 'error', numbers: 'full', destination: io.stderr })
    const journal = createJournal(database, { clock: systemClock, log })
    return { journal, close: () => database.close() }
  } catch (error) {
    if (!isCausewayError(error)) throw error
    io.stderr.write(`${formatIssue(error, 'warning', paintFor(io.stderr, io.env))}\n`)
    return none
  }
}
