import type { Call, CallRegistry } from '../../calls/index.ts'
import type { CallLimit, NumberConfig, TrunkConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'

/** Calls in progress on a trunk, both directions together. */
export function callsOf(calls: CallRegistry, trunk: string): number {
  let count = 0
  for (const call of calls.active()) if (call.trunk === trunk) count++
  return count
}

/** Why a trunk takes no further call; undefined when it does. `but` is the call that asks. */
export function trunkFull(
  { name, limits }: TrunkConfig,
  calls: CallRegistry,
  but?: Call,
): CausewayError | undefined {
  if (!limits) return undefined
  const others = callsOf(calls, name) - (but?.trunk === name && !but.hasEnded() ? 1 : 0)
  return others < limits.calls ? undefined : full('CALL_TRUNK_LIMIT', `trunk ${name}`, limits)
}

/** Why a number takes no further call; undefined when it does. */
export function numberFull(
  { name, limits }: NumberConfig,
  calls: CallRegistry,
): CausewayError | undefined {
  if (!limits || calls.activeOf(name) < limits.calls) return undefined
  return full('CALL_NUMBER_FULL', `number ${name}`, limits)
}

function full(
  code: 'CALL_TRUNK_LIMIT' | 'CALL_NUMBER_FULL',
  place: string,
  { calls, status }: CallLimit,
): CausewayError {
  const detail = `${place} has ${calls} call${calls === 1 ? '' : 's'}`
  // Q.850: 17 is user busy.
  return new CausewayError(code, {
    place,
    detail,
    ...(status === 486 ? { sip: 486, q850: 17 } : {}),
  })
}
