import { defineErrors } from './definition.ts'

/** Errors of the settings area; every code starts with `SETTINGS_`. */
export const settingsErrors = defineErrors({})
