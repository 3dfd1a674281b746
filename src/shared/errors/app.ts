import { defineErrors } from './definition.ts'

/** Errors of the app area; every code starts with `APP_`. */
export const appErrors = defineErrors({})
