import { integerOf, isObject, type JsonObject, objectsOf, textOf } from '../settings/wire.ts'
import type {
  CallPermission,
  PermissionAction,
  PermissionLimit,
  PermissionStatus,
} from './types.ts'

/**
 * Reads the answer of `call_permissions`. Lenient: the table names the end `expiration`, samples
 * `expiration_time`; numbers may be strings; spelling is case-insensitive; actions may be missing.
 *
 * @returns undefined when there is no permission state in it
 */
export function parsePermission(body: unknown): CallPermission | undefined {
  if (!isObject(body)) return undefined
  const given = body['permission']
  const permission: JsonObject = isObject(given) ? given : { status: given }
  const status = statusOf(permission['status'])
  if (!status) return undefined
  const actions = objectsOf(body['actions'])
  return {
    status,
    expires:
      status === 'temporary'
        ? timeOf(permission['expiration_time'] ?? permission['expiration'])
        : undefined,
    request: actionOf(actions, 'send_call_permission_request'),
    call: actionOf(actions, 'start_call'),
  }
}

function statusOf(value: unknown): PermissionStatus | undefined {
  const word = textOf(value)?.trim().toLowerCase()
  if (word === 'none') return 'no_permission'
  return word === 'no_permission' || word === 'temporary' || word === 'permanent' ? word : undefined
}

function actionOf(actions: JsonObject[], name: string): PermissionAction | undefined {
  const action = actions.find((one) => textOf(one['action_name'])?.toLowerCase() === name)
  if (!action) return undefined
  const allowed = action['can_perform_action']
  return {
    allowed:
      typeof allowed === 'boolean'
        ? allowed
        : allowed === 'true'
          ? true
          : allowed === 'false'
            ? false
            : undefined,
    limits: objectsOf(action['limits']).flatMap(limitOf),
  }
}

function limitOf(limit: JsonObject): PermissionLimit[] {
  const max = integerOf(limit['max_allowed'])
  const used = integerOf(limit['current_usage'])
  if (max === undefined || used === undefined) return []
  const period = textOf(limit['time_period'])?.toUpperCase() ?? ''
  return [{ period, max, used, until: timeOf(limit['limit_expiration_time']) }]
}

/** Seconds of that size lie beyond the year 5000: a number above is milliseconds. */
const MILLISECONDS = 1e11

/** Unix seconds, milliseconds or an ISO date, as milliseconds; undefined when it is none of them. */
export function timeOf(value: unknown): number | undefined {
  const number = integerOf(value)
  if (number !== undefined) return number < MILLISECONDS ? number * 1000 : number
  const date = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : date
}
