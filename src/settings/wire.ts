import { isObject, type JsonObject } from '../shared/json.ts'
import { Secret } from '../shared/secret.ts'

export { isObject, type JsonObject }

/** The objects of an array; anything else gives an empty list. */
export function objectsOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** A string or number as a string; anything else is undefined. */
export function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'number' ? String(value) : undefined
}

/** A non-negative whole number, also when it comes as a string; anything else is undefined. */
export function integerOf(value: unknown): number | undefined {
  const text = textOf(value)?.trim()
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** The object without the named keys, with passwords and tokens wrapped at any depth. */
export function restOf(source: JsonObject, known: readonly string[]): JsonObject {
  const rest: JsonObject = {}
  for (const [key, value] of Object.entries(source)) {
    if (!known.includes(key)) rest[key] = wrapSecrets(key, value)
  }
  return rest
}

function wrapSecrets(key: string, value: unknown): unknown {
  if (typeof value === 'string') {
    return /passw(or)?d|secret|token/i.test(key) ? new Secret(value) : value
  }
  if (Array.isArray(value)) return value.map((item) => wrapSecrets(key, item))
  return isObject(value) ? restOf(value, []) : value
}

/** What of unknown fields may be sent back: what holds no secret, at any depth. */
export function sendable(other: JsonObject | undefined): JsonObject {
  return Object.fromEntries(Object.entries(other ?? {}).filter(([, value]) => !holdsSecret(value)))
}

function holdsSecret(value: unknown): boolean {
  if (value instanceof Secret) return true
  if (Array.isArray(value)) return value.some(holdsSecret)
  return isObject(value) && Object.values(value).some(holdsSecret)
}
