import type { Config } from '../../config/types.ts'
import type { HealthCheck, MetricFamily, Sample } from '../../http/index.ts'
import type { AnchorStatus } from '../../media/index.ts'
import type { ThreadLoadState } from '../../shared/thread-load.ts'
import { configHash } from '../config-hash.ts'
import { counter, gauge, labelled, one } from './families.ts'

/** What runs, and with which configuration. */
export function configFamilies(config: Config, checks: readonly HealthCheck[]): MetricFamily[] {
  return [
    gauge(
      'ready',
      'Whether calls can be taken, as /readyz has it.',
      one(checks.every(({ ready }) => ready) ? 1 : 0),
    ),
    gauge('config_info', 'The configuration in use; secrets are no part of the hash.', [
      { labels: { hash: configHash(config) }, value: 1 },
    ]),
    gauge(
      'configured',
      'Numbers and trunks of the configuration.',
      labelled('kind', { numbers: config.numbers.length, trunks: config.trunks.length }),
    ),
  ]
}

/** How busy each thread is: `main`, `sip`, and the workers of the media relay. */
export function threadFamilies(
  main: ThreadLoadState,
  sip: ThreadLoadState | undefined,
  media: AnchorStatus,
): MetricFamily[] {
  const watched = { main, ...(sip ? { sip } : {}) }
  const delays: Sample[] = Object.entries(watched).flatMap(([thread, { delay }]) =>
    Object.entries(delay).map(([stat, value]) => ({ labels: { stat, thread }, value })),
  )
  const busy = Object.entries(watched).map(([thread, { busySeconds }]) => [thread, busySeconds])
  for (const { name, busySeconds } of media.instances) {
    if (busySeconds !== undefined) busy.push([name, busySeconds])
  }
  return [
    counter(
      'thread_busy_seconds',
      'Time the event loop of a thread has worked; the rate is its utilisation.',
      labelled('thread', Object.fromEntries(busy)),
    ),
    gauge(
      'event_loop_delay_seconds',
      'How late timers were since the last scrape: p50, p99 and max.',
      delays,
    ),
  ]
}
