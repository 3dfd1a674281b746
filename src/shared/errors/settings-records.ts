import { defineErrors } from './definition.ts'

/** Errors of what the settings area keeps (journal, passwords) and of what it does over time. */
export const settingsRecordErrors = defineErrors({
  SETTINGS_FIGHT: {
    summary: 'The same settings were repaired too often and are left alone for now',
    cause: 'Somebody else, a person or a second manager, changes them back after each repair.',
    fix: 'Stop the other writer or set manage: verify; the journal says when. causeway reload resumes at once.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_RECORDS_UNUSABLE: {
    summary: 'The folder of the records cannot be used',
    cause: 'records.path cannot be made or written, or its settings.db is no database.',
    fix: 'Correct records.path, its permissions or the disk and restart; until then nothing is kept.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_VAULT_UNREADABLE: {
    summary: 'Kept SIP passwords cannot be read',
    cause: 'records.secret is not the key they were kept with, or the file was changed or damaged.',
    fix: 'Nothing, the passwords are fetched again; restore the right key if it was changed by mistake.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_VAULT_UNWRITABLE: {
    summary: 'SIP passwords cannot be kept',
    cause: 'The file under records.path cannot be written.',
    fix: 'Correct the permissions or the disk; until then passwords live in memory only.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_ROTATION_IMPOSSIBLE: {
    summary: 'The SIP password of the number cannot be rotated',
    cause:
      'There is no server of ours on the number, or its password is fixed in the configuration.',
    fix: 'Remove sip_password from the configuration, and apply the settings before rotating.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_ROTATION_RUNNING: {
    summary: 'The password of the number is being rotated already',
    cause: 'A rotation was asked for while another one of the same number has not ended.',
    fix: 'Wait for it; causeway numbers rotate shows the progress of one that was begun elsewhere.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_ROTATION_UNFINISHED: {
    summary: 'A rotation of the password has begun and not ended',
    cause: 'The process or the network failed between two steps; the number may be switched off.',
    fix: 'Continue it with causeway numbers rotate NUMBER --resume.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_ROTATION_NONE: {
    summary: 'There is no rotation to resume',
    cause: 'No unfinished rotation of the number is recorded under records.path.',
    fix: 'Leave out --resume to begin a rotation.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_ROTATION_UNCHANGED: {
    summary: 'The SIP password is the same after the rotation',
    cause: 'All steps were done and the number is enabled again, but WhatsApp kept the password.',
    fix: 'Try again later; if it stays, remove the server in WhatsApp Manager and let Causeway add it.',
    owner: 'whatsapp',
    retryable: false,
  },
})
