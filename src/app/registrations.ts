import type { Binding, RegistrationStatus, RegistrationsStatus } from '../bridge/index.ts'
import type { HealthCheck, MetricFamily, TrunkView } from '../http/index.ts'
import { CausewayError } from '../shared/errors/index.ts'
import { formatHostPort } from '../shared/host-port.ts'
import { counter, gauge } from './metrics/families.ts'

const iso = (ms: number): string => new Date(ms).toISOString()

/** What a trunk's view says of registrations. */
export function registrationViews(
  trunk: string,
  { ours, contacts }: RegistrationsStatus,
): Pick<TrunkView, 'registration' | 'contacts'> {
  const own = ours.find((one) => one.trunk === trunk)
  const theirs = contacts.find((one) => one.trunk === trunk)
  return {
    registration: own
      ? {
          state: own.state,
          registrar: own.registrar,
          username: own.username,
          expires_at: own.expiresAt === undefined ? null : iso(own.expiresAt),
          next_at: own.nextAt === undefined ? null : iso(own.nextAt),
          error: own.error ?? null,
        }
      : null,
    contacts:
      theirs?.contacts.map((binding) => ({
        uri: binding.uri,
        source: sourceText(binding),
        q: binding.q,
        since: iso(binding.since),
        expires_at: iso(binding.expiresAt),
        user_agent: binding.userAgent,
      })) ?? null,
  }
}

/** Health of registrations: a trunk that is not registered warns, one that is refused fails. */
export function registrationChecks(
  { ours, contacts }: RegistrationsStatus,
  now: number,
): HealthCheck[] {
  return [
    ...ours.map((one) => ownCheck(one, now)),
    ...contacts.map(({ trunk, contacts: list }): HealthCheck => {
      const base = { component: 'registrar', id: trunk, ready: true }
      if (list.length === 0) {
        const { message, fix } = new CausewayError('TRUNK_NOT_REGISTERED')
        return { ...base, status: 'warn', output: `${message}; ${fix}` }
      }
      const where = list.map(sourceText).join(', ')
      return { ...base, status: 'pass', output: `the PBX is registered from ${where}` }
    }),
  ]
}

function ownCheck(one: RegistrationStatus, now: number): HealthCheck {
  const base = { component: 'registration', id: one.trunk, ready: true }
  const trouble = one.error && `${one.error.message}; ${one.error.fix}`
  if (one.state === 'registered') {
    const left = Math.max(0, Math.round(((one.expiresAt ?? now) - now) / 1000))
    const good = `registered with ${one.registrar} for ${left} s more`
    if (!trouble) return { ...base, status: 'pass', output: good }
    return { ...base, status: 'warn', output: `${good}, not renewed yet: ${trouble}` }
  }
  if (one.state === 'registering') {
    return { ...base, status: 'warn', output: `registering with ${one.registrar}` }
  }
  return { ...base, status: 'fail', output: trouble ?? 'not registered' }
}

/** Metrics of registrations; labels name configured things. */
export function registrationMetrics(status: RegistrationsStatus): MetricFamily[] {
  const { ours, contacts, requests } = status
  return [
    gauge(
      'registration_up',
      'Whether the trunk is registered with this registrar.',
      ours.flatMap(({ trunk, registrars }) =>
        registrars.map(({ uri, registered }) => ({
          labels: { trunk, registrar: uri },
          value: registered ? 1 : 0,
        })),
      ),
    ),
    counter(
      'registration_attempts',
      'Registrations tried with a PBX, by result.',
      ours.flatMap(({ trunk, attempts }) =>
        Object.entries(attempts).map(([result, value]) => ({ labels: { trunk, result }, value })),
      ),
    ),
    counter(
      'registration_flow_failures',
      'Connections that failed under a registration with a PBX.',
      ours.map(({ trunk, flowFailures }) => ({ labels: { trunk }, value: flowFailures })),
    ),
    gauge(
      'registration_expiry_timestamp_seconds',
      'When the registration with the PBX runs out, Unix time.',
      ours.flatMap(({ trunk, expiresAt }) =>
        expiresAt === undefined ? [] : [{ labels: { trunk }, value: expiresAt / 1000 }],
      ),
    ),
    gauge(
      'registrar_contacts',
      'Contacts the PBX of the trunk has registered here.',
      contacts.map(({ trunk, contacts: list }) => ({
        labels: { trunk },
        value: list.length,
      })),
    ),
    counter(
      'registrar_requests',
      'REGISTERs of PBXs, by result; the trunk is empty before credentials name it.',
      requests.map(({ trunk, result, count }) => ({
        labels: { trunk, result },
        value: count,
      })),
    ),
    // One without a sample would be exposed as 0, without its labels.
  ].filter(({ samples }) => samples.length > 0)
}

function sourceText({ source: { address, port, transport } }: Binding): string {
  return `${transport}:${formatHostPort(address, port)}`
}
