import { detach } from '../shared/detach.ts'
import { isObject, type JsonObject, objectOf } from '../shared/json.ts'

export { isObject, type JsonObject, objectOf }

/** Longest text kept of an event. */
const LONGEST = 512

/** The objects of a list; a single object counts as a list of one. */
export function objectsOf(value: unknown): JsonObject[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter(isObject)
}

/** A text or number as text, cut and detached from the body; undefined when empty or something else. */
export function textOf(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text === '') return undefined
  return detach(text.slice(0, LONGEST))
}

/** A word in capitals: WhatsApp's pages and its events disagree about the case. */
export function wordOf(value: unknown): string | undefined {
  return textOf(value)
    ?.trim()
    .toUpperCase()
    .replace(/[\s-]+/g, '_')
}

/** A number of zero or more, also when it comes as text. */
export function numberOf(value: unknown): number | undefined {
  const text = typeof value === 'number' ? String(value) : value
  return typeof text === 'string' && /^\s*\d{1,15}(\.\d+)?\s*$/.test(text)
    ? Number(text)
    : undefined
}

/** From this figure on a time is taken for milliseconds: the year 5138 in seconds, 1973 in milliseconds. */
const MILLISECONDS = 100_000_000_000

/** A Unix time in seconds (or milliseconds), as text or number, in milliseconds. */
export function timeOf(value: unknown): number | undefined {
  const time = numberOf(value)
  if (time === undefined || time === 0) return undefined
  return time < MILLISECONDS ? time * 1000 : time
}

/** Whether a word means yes. */
export function truthOf(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}
