import type { Config } from '../config/types.ts'
import type { MetricFamily, Sample } from '../http/index.ts'
import { gauge } from './metrics/families.ts'

/** What the metrics of the passwords are made of; times in milliseconds since the epoch. */
export interface CredentialFacts {
  config: Config
  now: number
  readAt: (number: string) => number | undefined
  usedAt: (number: string) => number | undefined
  /** Milliseconds the number was switched off by its last rotation. */
  window: (number: string) => number | undefined
}

/** Age and use of each number's SIP password. Labels hold the number's name. */
export function credentialMetrics(facts: CredentialFacts): MetricFamily[] {
  const { config, now, readAt, usedAt, window } = facts
  // One without a sample would be exposed as 0, without the label.
  const known = (
    name: string,
    help: string,
    measure: (number: string) => number | undefined,
  ): MetricFamily[] => {
    const samples = config.numbers.flatMap(({ name: number }): Sample[] => {
      const value = measure(number)
      return value === undefined ? [] : [{ labels: { number }, value }]
    })
    return samples.length > 0 ? [gauge(name, help, samples)] : []
  }
  const seconds = (ms: number | undefined): number | undefined => ms && ms / 1000
  return [
    ...known('credentials_age_seconds', 'Time since the SIP password was fetched.', (number) => {
      const at = readAt(number)
      return at === undefined ? undefined : Math.max(0, now - at) / 1000
    }),
    ...known(
      'credentials_last_used_timestamp_seconds',
      'When a call last used the SIP password, Unix time.',
      (number) => seconds(usedAt(number)),
    ),
    ...known(
      'credentials_rotation_window_seconds',
      'How long the last rotation switched the number off.',
      (number) => seconds(window(number)),
    ),
  ]
}
