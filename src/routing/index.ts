/** Where calls go: pure rules over the configuration and what is known of a call. */
export { countryOfNumber } from './calling-codes.ts'
export { countryOf } from './country.ts'
export {
  chainOf,
  chooseRoute,
  explainRoutes,
  type InboundRoute,
  type InboundWay,
  NO_ROUTE,
  type RouteFinding,
  stepAt,
  wayOf,
} from './inbound.ts'
export type { ArrivingCall, Condition } from './match.ts'
export { consumerOf, formatNumber } from './number-plan.ts'
export {
  chooseNumber,
  type LeavingCall,
  type NumberChoice,
  type SourceFinding,
} from './outbound.ts'
export { type CallParties, type Presented, present, type Shown } from './presentation.ts'
export { fillTemplate, withoutPlus } from './template.ts'
export { type UserParams, userParamsOf } from './user-params.ts'
