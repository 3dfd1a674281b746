import type { InboundConfig, NumberConfig, RouteConfig, TrunkStep } from '../config/types.ts'
import { type ArrivingCall, type Condition, judgeMatch, matches } from './match.ts'

/** Name of the route of a call that no entry of `routes` takes. */
export const NO_ROUTE = 'inbound'

/** Where a call from a WhatsApp user goes. */
export interface InboundRoute {
  /** Name of the route, or {@link NO_ROUTE}. */
  name: string
  /** Status WhatsApp is answered with; undefined: the call goes on. */
  refuse: RouteConfig['refuse']
  inbound: InboundWay
}

/**
 * The route of a call: the first of the number's routes that matches, else `inbound` itself. Undefined
 * for a number that takes no calls.
 */
export function chooseRoute(number: NumberConfig, call: ArrivingCall): InboundRoute | undefined {
  const { inbound, calling } = number
  if (!inbound) return undefined
  const route = inbound.routes.find(({ match }) => matches(match, call, calling.call_hours))
  return route ?? { name: NO_ROUTE, refuse: undefined, inbound }
}

/** A way a call goes: `inbound` as a route has filled it in. */
export type InboundWay = Omit<InboundConfig, 'routes'>

/** The trunks of a way in the order of trying, with their templates and times. */
export function chainOf(inbound: InboundWay): TrunkStep[] {
  return [inbound, ...inbound.overflow]
}

/** The step of a way at a trunk; its first one for a trunk it does not lead to. */
export function stepAt(inbound: InboundWay, trunk: string): TrunkStep {
  return chainOf(inbound).find((step) => step.trunk === trunk) ?? inbound
}

/**
 * The way of a call whose route is known by name. A number that takes no calls itself but makes them
 * has one nevertheless: its calls may be transferred.
 */
export function wayOf({ inbound }: NumberConfig, route: string | undefined): InboundWay {
  return inbound?.routes.find(({ name }) => name === route)?.inbound ?? inbound ?? TRANSFERS
}

const TRANSFERS: InboundWay = {
  trunk: '',
  to: '{business}',
  from: '{caller}',
  ringTimeout: 60_000,
  overflow: [],
  earlyMedia: false,
  announcement: undefined,
}

/** What was found out about one route. */
export interface RouteFinding {
  name: string
  conditions: Condition[]
  /** `passed`: an earlier one had taken the call already. */
  verdict: 'taken' | 'no match' | 'passed'
  refuse: RouteConfig['refuse']
}

/** Every route of the number with what the call has of its conditions, `inbound` itself as the last. */
export function explainRoutes(number: NumberConfig, call: ArrivingCall): RouteFinding[] {
  const { inbound, calling } = number
  if (!inbound) return []
  let taken = false
  const verdictOf = (holds: boolean): RouteFinding['verdict'] => {
    if (taken) return 'passed'
    taken = holds
    return holds ? 'taken' : 'no match'
  }
  const findings = inbound.routes.map(({ name, match, refuse }) => {
    const conditions = judgeMatch(match, call, calling.call_hours)
    const verdict = verdictOf(conditions.every(({ holds }) => holds))
    return { name, conditions, verdict, refuse }
  })
  const last = { name: NO_ROUTE, conditions: [], verdict: verdictOf(true), refuse: undefined }
  return [...findings, last]
}
