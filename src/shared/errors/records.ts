import { defineErrors } from './definition.ts'

/** Errors of the call history under `records.path`. Calls go on with every one of them. */
export const recordErrors = defineErrors({
  APP_RECORDS_UNUSABLE: {
    summary: 'the call history cannot be written',
    cause: 'records.path cannot be made or written, or the disk fails.',
    fix: 'Correct records.path, its permissions or the disk; calls wait in memory until then and are written by themselves.',
    owner: 'user',
    retryable: true,
  },
  APP_RECORDS_FULL: {
    summary: 'the disk of the call history is full',
    cause: 'There is no room under records.path for another call.',
    fix: 'Make room on the disk, or lower records.keep or records.max_size; calls wait in memory until then and are written by themselves.',
    owner: 'user',
    retryable: true,
  },
  APP_RECORDS_LOCKED: {
    summary: 'the call history is locked by another program',
    cause:
      'Another process holds calls.db for longer than two seconds, such as a backup by copying under a lock.',
    fix: 'End the other program; calls wait in memory until then and are written by themselves.',
    owner: 'user',
    retryable: true,
  },
  APP_RECORDS_CORRUPT: {
    summary: 'the call history was damaged and set aside',
    cause: 'calls.db is no database or its pages contradict each other, after a failing disk say.',
    fix: 'Nothing for calls to come, they are in a new file; the damaged one lies beside it, sqlite3 .recover may read it.',
    owner: 'user',
    retryable: false,
  },
  APP_RECORDS_NEWER: {
    summary: 'the call history was written by a newer Causeway',
    cause:
      'The schema version of calls.db is above the one this version knows; the file is left untouched.',
    fix: 'Run the newer version again, or move calls.db away to begin a new history.',
    owner: 'user',
    retryable: false,
  },
  APP_RECORDS_LOST: {
    summary: 'records of calls were lost',
    cause:
      'The call history could not be written for so long that no more calls could wait in memory.',
    fix: 'Correct what keeps the history from being written; the log has the end of every call.',
    owner: 'user',
    retryable: false,
  },
  APP_RECORDS_NONE: {
    summary: 'there is no call history to read',
    cause:
      'records.path holds no calls.db: no call has ended there yet, history is off, or it is another folder.',
    fix: 'Name the configuration of the instance with -c, or ask the running instance without --offline.',
    owner: 'user',
    retryable: false,
  },
  APP_RECORDS_PUSH_FAILED: {
    summary: 'records of calls are not delivered',
    cause:
      'The target under records.push refuses them, answers with an error, or cannot be reached.',
    fix: 'Correct the target or records.push; records that wait stay in the history and are sent again.',
    owner: 'user',
    retryable: true,
  },
  APP_RECORDS_BUSY: {
    summary: 'the call history does not answer',
    cause: 'Its thread has ended or is stopping.',
    fix: 'Try again; when it stays, restart Causeway and report the log.',
    owner: 'causeway',
    retryable: true,
  },
})
