import type { Verb } from '../verb.ts'

/**
 * Every verb and the file it is in, in the order of the help page. Files are loaded when needed, so
 * that `causeway config check` does not pay for what `causeway up` imports.
 */
export const verbs: Record<string, () => Promise<{ verb: Verb }>> = {
  up: () => import('./up.ts'),
  demo: () => import('./demo.ts'),
  doctor: () => import('./doctor.ts'),
  status: () => import('./status.ts'),
  'calls list': () => import('./calls-list.ts'),
  'calls show': () => import('./calls-show.ts'),
  'calls export': () => import('./calls-export.ts'),
  'calls forget': () => import('./calls-forget.ts'),
  'calls pcap': () => import('./calls-pcap.ts'),
  'trunks show': () => import('./trunks-show.ts'),
  'numbers plan': () => import('./numbers-plan.ts'),
  'numbers apply': () => import('./numbers-apply.ts'),
  'numbers show': () => import('./numbers-show.ts'),
  'numbers rotate': () => import('./numbers-rotate.ts'),
  'route test': () => import('./route-test.ts'),
  'permissions show': () => import('./permissions-show.ts'),
  'permissions request': () => import('./permissions-request.ts'),
  drain: () => import('./drain.ts'),
  undrain: () => import('./undrain.ts'),
  reload: () => import('./reload.ts'),
  'config check': () => import('./config-check.ts'),
  'config print': () => import('./config-print.ts'),
  'config schema': () => import('./config-schema.ts'),
  'pbx asterisk': () => import('./pbx-asterisk.ts'),
  'pbx freeswitch': () => import('./pbx-freeswitch.ts'),
  simulate: () => import('./simulate.ts'),
}
