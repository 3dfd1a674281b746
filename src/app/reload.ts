import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/types.ts'
import { Secret } from '../shared/secret.ts'

/** What a new configuration changes, as key paths. */
export interface ConfigChanges {
  /** Taken at once, for calls to come. */
  applied: string[]
  /** Taken at the next start. */
  restart: string[]
}

/** Keys that are read for each call or request, and so can change under way. */
const LIVE: readonly string[] = [
  'numbers',
  'trunks',
  'limits',
  'http.token',
  'whatsapp.challenge',
  'whatsapp.sources',
  'whatsapp.webhooks.verify_token',
  'whatsapp.webhooks.app_secret',
  'events',
  'log.level',
  'trace',
]

/** Keys whose own keys differ in whether they are live, or stand elsewhere in the file. */
const NESTED: readonly string[] = ['whatsapp.webhooks', 'records.calls']

/** File spellings of the typed configuration's keys, for messages an operator reads. */
const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** The key of the file behind a key of the typed configuration, where they differ. */
function fileKey(path: string): string {
  return path
    .replace(/^records\.calls$/, 'records.history')
    .replace(/^records\.calls\./, 'records.')
}

/** Compares two configurations, key by key of their sections. */
export function configChanges(before: Config, after: Config): ConfigChanges {
  const changes: ConfigChanges = { applied: [], restart: [] }
  for (const section of Object.keys(after) as (keyof Config)[]) {
    if (section === 'file') continue
    for (const path of changedPaths(section, before[section], after[section])) {
      const live = LIVE.some((key) => path === key || path.startsWith(`${key}.`))
      changes[live ? 'applied' : 'restart'].push(fileKey(path))
    }
  }
  return changes
}

function changedPaths(section: string, before: unknown, after: unknown): string[] {
  if (same(before, after)) return []
  if (Array.isArray(after) || !isObject(before) || !isObject(after)) return [snake(section)]
  const keys = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keys]
    .filter((key) => !same(before[key], after[key]))
    .flatMap((key) => {
      const path = `${snake(section)}.${snake(key)}`
      return NESTED.includes(path) ? changedPaths(path, before[key], after[key]) : [path]
    })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

/** Deep equality that looks into secrets, which compare as equal objects otherwise. */
function same(a: unknown, b: unknown): boolean {
  if (a instanceof Secret && b instanceof Secret) return a.equals(b)
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, index) => same(item, b[index]))
  }
  if (isObject(a) && isObject(b) && !(a instanceof Secret) && !(b instanceof Secret)) {
    const keys = new Set([...Object.keys(a), ...Object.keys(b)])
    return [...keys].every((key) => same(a[key], b[key]))
  }
  return isDeepStrictEqual(a, b)
}

/** Whether the settings of numbers have to be looked at again. */
export function numbersChanged(before: Config, after: Config): boolean {
  return !same(before.numbers, after.numbers)
}
