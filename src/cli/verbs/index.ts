import type { Verb } from '../verb.ts'

/**
 * Every verb and the file it is in, in the order of the help page. Files are loaded when needed, so
 * that `causeway config check` does not pay for what `causeway up` imports.
 */
export const verbs: Record<string, () => Promise<{ verb: Verb }>> = {
  up: () => import('./up.ts'),
  demo: () => import('./demo.ts'),
  status: () => import('./status.ts'),
  'calls list': () => import('./calls-list.ts'),
  'calls show': () => import('./calls-show.ts'),
  'numbers rotate': () => import('./numbers-rotate.ts'),
  'trunks show': () => import('./trunks-show.ts'),
  drain: () => import('./drain.ts'),
  undrain: () => import('./undrain.ts'),
  reload: () => import('./reload.ts'),
  'config check': () => import('./config-check.ts'),
  'config print': () => import('./config-print.ts'),
  'config schema': () => import('./config-schema.ts'),
  simulate: () => import('./simulate.ts'),
}
