import { defineErrors } from './definition.ts'

/** Errors of the call area; every code starts with `CALL_`. */
export const callErrors = defineErrors({})
