import { defineErrors } from './definition.ts'

/** Errors of the media area; every code starts with `MEDIA_`. */
export const mediaErrors = defineErrors({})
