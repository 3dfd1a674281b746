import { defineErrors } from './definition.ts'

/** Errors of the config area; every code starts with `CONFIG_`. */
export const configErrors = defineErrors({})
