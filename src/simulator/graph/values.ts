import type { Toggle } from '../store.ts'
import { invalid } from './failure.ts'

/** A JSON object of unknown shape. */
export type JsonObject = Record<string, unknown>

/** Narrows to a JSON object. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * An object with no keys but the given ones.
 *
 * @throws code 100
 */
export function objectIn(value: unknown, name: string, keys: readonly string[]): JsonObject {
  if (!isObject(value)) throw invalid(`Param ${name} must be a JSON object`)
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw invalid(`Unexpected key "${key}" on param "${name}"`)
  }
  return value
}

/**
 * ENABLED or DISABLED in any case; undefined when the key is absent.
 *
 * @throws code 100
 */
export function toggleIn(value: unknown, name: string): Toggle | undefined {
  return oneOf(value, name, { ENABLED: 'ENABLED', DISABLED: 'DISABLED' })
}

/**
 * One of the spellings, which are matched in any case; undefined when the key is absent.
 *
 * @throws code 100
 */
export function oneOf<T extends string>(
  value: unknown,
  name: string,
  spellings: Record<string, T>,
): T | undefined {
  if (value === undefined) return undefined
  const found = typeof value === 'string' ? spellings[value.toUpperCase()] : undefined
  if (found) return found
  const allowed = Object.keys(spellings).join(', ')
  throw invalid(`Invalid ${name}: must be one of {${allowed}}`)
}
