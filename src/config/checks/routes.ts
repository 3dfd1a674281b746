import { globMatches } from '../../shared/glob.ts'
import { routeName } from '../build-routing.ts'
import type { Draft } from '../schema-walk.ts'
import type { Path } from '../source.ts'
import type { CheckContext, Rule } from './context.ts'
import { knownTrunk } from './known.ts'
import { covers } from './route-cover.ts'

type Number = NonNullable<NonNullable<Draft['numbers']>[number]>
type Inbound = NonNullable<Number['inbound']>
type Route = NonNullable<NonNullable<Inbound['routes']>[number]>
type Overflow = Inbound['overflow']

const LONGEST_RING = 60_000
/** Name a call has that no route took. */
const RESERVED = 'inbound'

const chains: Rule = (context) => {
  for (const { inbound, path } of inbounds(context)) {
    knownTrunk(context, inbound.trunk, [...path, 'trunk'])
    chain(context, inbound.trunk, inbound.overflow, path)
    longRing(context, inbound.ring_timeout, [...path, 'ring_timeout'])
    for (const [route, at] of routesOf(inbound, path)) {
      knownTrunk(context, route.trunk, [...at, 'trunk'])
      chain(context, route.trunk ?? inbound.trunk, route.overflow, at)
      longRing(context, route.ring_timeout, [...at, 'ring_timeout'])
    }
  }
}

const refusals: Rule = (context) => {
  for (const { inbound, path } of inbounds(context)) {
    for (const [route, at] of routesOf(inbound, path)) {
      if (route.refuse === undefined) continue
      const more = Object.keys(route).find(
        (key) => !['name', 'match', 'refuse'].includes(key) && context.given([...at, key]),
      )
      if (more === undefined) continue
      const detail = `refuse: ${route.refuse}, and ${more} beside it`
      context.error('CONFIG_ROUTE_REFUSES', {
        path: [...at, more],
        atKey: true,
        detail,
        found: more,
        expected: 'name and match beside refuse, and nothing else',
      })
    }
  }
}

const names: Rule = (context) => {
  for (const { inbound, path } of inbounds(context)) {
    const seen = new Map<string, number>()
    for (const [index, route] of (inbound.routes ?? []).entries()) {
      const at = [...path, 'routes', index, 'name']
      if (!route || context.isWrong(at)) continue
      const name = routeName(route.name, index)
      const earlier = seen.get(name)
      const detail =
        name === RESERVED
          ? `${name} is the name of a call that no route takes`
          : `${name} is also routes[${earlier}] of the number`
      if (name === RESERVED || earlier !== undefined) {
        const expected = 'a name of its own'
        context.error('CONFIG_DUPLICATE_NAME', { path: at, detail, found: name, expected })
      } else seen.set(name, index)
    }
  }
}

const unreachable: Rule = (context) => {
  for (const { inbound, path } of inbounds(context)) {
    const earlier: { route: Route; name: string }[] = []
    for (const [index, route] of (inbound.routes ?? []).entries()) {
      const at = [...path, 'routes', index]
      if (!route || context.isWrong([...at, 'match'])) continue
      const name = routeName(route.name, index)
      const shadow = earlier.find((other) => covers(other.route.match ?? {}, route.match ?? {}))
      if (shadow) {
        const detail = `${name} of number ${nameOf(context, path)}: ${shadow.name} takes every call first`
        context.warn('CONFIG_ROUTE_UNREACHABLE', { path: at, detail })
      }
      earlier.push({ route, name })
    }
  }
}

/** Conditions that the rest of the file says cannot hold. */
const idle: Rule = (context) => {
  for (const { number, inbound, path } of inbounds(context)) {
    const sent = number.calling?.sip?.request_uri_user_params
    const hours = number.calling?.call_hours?.weekly_operating_hours
    const hoursWrong = context.isWrong([...path.slice(0, 2), 'calling', 'call_hours'])
    for (const [route, at] of routesOf(inbound, path)) {
      const { hours: wanted, params = {} } = route.match ?? {}
      if (wanted !== undefined && !hours?.length && !hoursWrong) {
        const always = wanted === 'open' ? 'every call' : 'no call'
        context.warn('CONFIG_ROUTE_HOURS_MISSING', {
          path: [...at, 'match', 'hours'],
          detail: `hours: ${wanted} matches ${always} of number ${nameOf(context, path)}`,
        })
      }
      for (const [name, pattern] of Object.entries(params)) {
        if (!sent || pattern === undefined || sends(sent, name, pattern)) continue
        context.warn('CONFIG_ROUTE_PARAM_UNSENT', {
          path: [...at, 'match', 'params', name],
          detail: `${name}=${pattern}; number ${nameOf(context, path)} has WhatsApp send ${listed(sent)}`,
        })
      }
    }
  }
}

/** Rules of `numbers[].inbound`. */
export const routeRules: readonly Rule[] = [chains, refusals, names, unreachable, idle]

function* inbounds(context: CheckContext): Generator<{
  number: Number
  inbound: Inbound
  path: Path
}> {
  for (const [index, number] of (context.draft.numbers ?? []).entries()) {
    const path: Path = ['numbers', index, 'inbound']
    if (number?.inbound) yield { number, inbound: number.inbound, path }
  }
}

function* routesOf(inbound: Inbound, path: Path): Generator<[Route, Path]> {
  for (const [index, route] of (inbound.routes ?? []).entries()) {
    if (route) yield [route, [...path, 'routes', index]]
  }
}

function nameOf({ draft }: CheckContext, path: Path): string {
  const index = path[1] as number
  return draft.numbers?.[index]?.name ?? String(index)
}

/** The trunks of a chain exist, and none is there twice: it has had its chance. */
function chain(
  context: CheckContext,
  first: string | undefined,
  overflow: Overflow,
  path: Path,
): void {
  const seen = new Set([first])
  const entries: [string | undefined, Path][] =
    typeof overflow === 'string'
      ? [[overflow, [...path, 'overflow']]]
      : (overflow ?? []).map((entry, index) => {
          const at = [...path, 'overflow', index]
          return typeof entry === 'object' ? [entry.trunk, [...at, 'trunk']] : [entry, at]
        })
  for (const [name, at] of entries) {
    knownTrunk(context, name, at)
    if (name === undefined) continue
    if (seen.has(name)) {
      const order = [...seen].join(', ')
      const detail = seen.size === 1 ? `both are ${name}` : `${order}, and ${name} again`
      const expected = 'a trunk that was not tried yet'
      context.error('CONFIG_OVERFLOW_SAME', { path: at, detail, found: name, expected })
    }
    seen.add(name)
  }
  if (typeof overflow === 'string') return
  for (const [index, entry] of (overflow ?? []).entries()) {
    if (typeof entry !== 'object') continue
    longRing(context, entry.ring_timeout, [...path, 'overflow', index, 'ring_timeout'])
  }
}

function longRing(context: CheckContext, timeout: number | undefined, path: Path): void {
  if ((timeout ?? 0) <= LONGEST_RING) return
  const detail = `number ${nameOf(context, path)}`
  context.warn('CONFIG_RING_TIMEOUT_LONG', { path, detail, expected: '60s or less' })
}

function sends(sent: Record<string, string | undefined>, name: string, pattern: string): boolean {
  const own = Object.entries(sent).find(([key]) => key.toLowerCase() === name.toLowerCase())
  if (!own) return false
  return own[1] === undefined || globMatches(pattern.toLowerCase(), own[1].toLowerCase())
}

function listed(sent: Record<string, string | undefined>): string {
  const pairs = Object.entries(sent).map(([name, value]) => `${name}=${value ?? ''}`)
  return pairs.join(', ') || 'none'
}
