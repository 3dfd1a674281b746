import type { TrunkConfig, TrunkTarget } from './types.ts'
import { formatDuration } from './units.ts'

/** The plain URI where weight and priority say nothing. */
export function target({ uri, weight, priority = 0 }: TrunkTarget): unknown {
  if (weight === 1 && priority === 0) return uri
  return {
    uri,
    ...(weight === 1 ? {} : { weight }),
    ...(priority === 0 ? {} : { priority }),
  }
}

/** The keys of a trunk about reaching its targets, in the file's spelling. */
export function targetKeys(trunk: TrunkConfig): Record<string, unknown> {
  const { tls, options, failover, redirects, limits } = trunk
  return {
    tls: tls && {
      ...tls.certificate,
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.serverName === undefined ? {} : { server_name: tls.serverName }),
    },
    options: ping(options),
    failover: { timeout: formatDuration(failover.timeout) },
    redirects,
    limits,
  }
}

/** The plain interval where the rest is as it is by default. */
function ping({ interval, timeout, downAfter, upAfter }: TrunkConfig['options']): unknown {
  const every = interval === 0 ? 0 : formatDuration(interval)
  if (timeout === 4000 && downAfter === 2 && upAfter === 1) return every
  const long = { timeout: formatDuration(timeout), down_after: downAfter, up_after: upAfter }
  return { interval: every, ...long }
}
