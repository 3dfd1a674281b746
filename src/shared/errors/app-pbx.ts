import { defineErrors } from './definition.ts'

/** Errors of writing a PBX's configuration. */
export const appPbxErrors = defineErrors({
  APP_PBX_TRUNK: {
    summary: 'there is no trunk to write',
    cause: 'The configuration has no trunks.',
    fix: 'Add the PBX under trunks.',
    owner: 'user',
    retryable: false,
  },
  APP_PBX_VALUE: {
    summary: "a value cannot be written into the PBX's files",
    cause: 'A user name or password holds what the format of the file cannot express.',
    fix: 'Change it, in the configuration and in the PBX.',
    owner: 'user',
    retryable: false,
  },
  APP_PBX_FILE_KEPT: {
    summary: 'files there say something else and were kept',
    cause: 'They were edited, or written from another configuration. Nothing was written.',
    fix: 'Write into another folder and compare, or replace them with --force.',
    owner: 'user',
    retryable: false,
  },
  APP_PBX_UNWRITABLE: {
    summary: "the PBX's files cannot be written",
    cause: 'The folder of -o, or a file in it, may not be read or written.',
    fix: 'Correct the folder or its permissions.',
    owner: 'user',
    retryable: true,
  },
})
