import type { Verb } from '../verb.ts'

/**
 * Every verb and the file it is in, in the order of the help page. Files are loaded when needed, so
 * that `causeway config check` does not pay for what `causeway up` imports.
 */
export const verbs: Record<string, () => Promise<{ verb: Verb }>> = {
  up: () => import('./up.ts'),
  'config check': () => import('./config-check.ts'),
  'config print': () => import('./config-print.ts'),
  'config schema': () => import('./config-schema.ts'),
}
