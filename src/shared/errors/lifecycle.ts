import { defineErrors } from './definition.ts'

/** Errors of starting, reloading and stopping the process. */
export const lifecycleErrors = defineErrors({
  APP_RELOAD_STOPPING: {
    summary: 'the configuration is not read again by an instance that stops',
    cause: 'The process was told to end.',
    fix: 'Start it again: it reads the file then.',
    owner: 'user',
    retryable: false,
  },
  APP_RELOAD_FAILED: {
    summary: 'the configuration could not be taken',
    cause: 'Causeway met an error of its own while it took the file; a part may be in use.',
    fix: 'Reload once more, restart if it repeats, and report it with the log.',
    owner: 'causeway',
    retryable: true,
  },
})
