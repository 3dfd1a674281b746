import type { BridgeStatus, RegistrationsStatus } from '../bridge/index.ts'
import type { CheckStatus, MetricFamily, TrunkView } from '../http/index.ts'
import { counter, gauge } from './metrics/families.ts'
import { registrationViews } from './registrations.ts'

type Target = BridgeStatus['targets'][number]

const STATUS: Readonly<Record<Target['state'], CheckStatus>> = {
  unknown: 'pass',
  up: 'pass',
  probing: 'warn',
  busy: 'warn',
  down: 'fail',
}

/** Trunks as the API shows them; `now` in milliseconds since the Unix epoch. */
export function trunkViews(
  { trunks, targets }: BridgeStatus,
  registrations: RegistrationsStatus,
  now: number,
): TrunkView[] {
  return trunks.map(({ name, up, calls, limit, failovers }) => ({
    name,
    up,
    targets: targets
      .filter((target) => target.trunk === name)
      .map((target) => ({
        uri: target.uri,
        status: STATUS[target.state],
        detail: targetDetail(target, now),
        state: target.state,
        since: target.since === undefined ? null : new Date(target.since).toISOString(),
        pinged: target.pinged,
        ping_ms: target.roundTrip === undefined ? null : Math.round(target.roundTrip * 10) / 10,
      })),
    ...registrationViews(name, registrations),
    active_calls: calls,
    limit: limit ?? null,
    failovers,
  }))
}

/** What is thought of a target, in a few words. */
export function targetDetail(target: Target, now: number): string {
  const { state, reason, since, pinged, roundTrip } = target
  const time = since === undefined ? '' : ` for ${ago(now - since)}`
  switch (state) {
    case 'unknown':
      return pinged ? 'no answer to a ping yet' : 'not used yet'
    case 'up':
      if (!pinged) return 'reachable when last used'
      return roundTrip === undefined ? `up${time}` : `up${time}, ping ${ms(roundTrip)}`
    case 'down':
      return `down${time}: ${reason}; ${pinged ? 'pinged until it answers' : 'tried last'}`
    case 'busy':
      return `busy${time}: ${reason}; tried last`
    case 'probing':
      return `was down: ${reason}; a call is trying it`
  }
}

function ms(value: number): string {
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`
}

function ago(duration: number): string {
  const seconds = Math.max(0, Math.round(duration / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}

/** Metrics of trunks and their targets. */
export function trunkMetrics({
  trunks,
  targets,
}: Pick<BridgeStatus, 'trunks' | 'targets'>): MetricFamily[] {
  return [
    gauge(
      'trunk_up',
      'Whether a target of the trunk can be reached.',
      trunks.map(({ name, up }) => ({ labels: { trunk: name }, value: up ? 1 : 0 })),
    ),
    gauge(
      'target_up',
      'Whether calls are sent to the target before others are tried.',
      targets.map(({ trunk, uri, reachable }) => ({
        labels: { trunk, target: uri },
        value: reachable ? 1 : 0,
      })),
    ),
    gauge(
      'target_ping_seconds',
      'Round trip of the last OPTIONS that was answered.',
      targets.flatMap(({ trunk, uri, roundTrip }) =>
        roundTrip === undefined
          ? []
          : [{ labels: { trunk, target: uri }, value: Number((roundTrip / 1000).toFixed(6)) }],
      ),
    ),
    counter(
      'target_failovers',
      'Calls that went on from one target to the next.',
      trunks.map(({ name, failovers }) => ({ labels: { trunk: name }, value: failovers })),
    ),
    gauge(
      'trunk_calls',
      'Calls in progress on the trunk.',
      trunks.map(({ name, calls }) => ({ labels: { trunk: name }, value: calls })),
    ),
  ]
}
