import { defineErrors } from './definition.ts'

/** Errors of the sip area; every code starts with `SIP_`. */
export const sipErrors = defineErrors({})
