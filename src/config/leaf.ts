import { z } from 'zod'
import { Secret } from '../shared/secret.ts'
import { Rejection } from './rejection.ts'
import { parseDuration } from './units.ts'

/** What messages say about a key beyond its zod type. */
export interface LeafFacts {
  /** What the key expects: `a duration such as 30s`. */
  expected: string
  /** The value is never shown. */
  secret?: boolean
  /** A bare YAML number or word may stand for a string that lost its quotes. */
  quotable?: boolean
}

/** The facts of every leaf of the schema. */
export const leafFacts = z.registry<LeafFacts>()

/** A string that `parse` turns into a typed value. */
export function text<T>(facts: LeafFacts, parse: (text: string) => T | Rejection) {
  return z
    .string()
    .transform((value, context): T => {
      const result = parse(value)
      if (!(result instanceof Rejection)) return result
      context.addIssue({
        code: 'custom',
        message: result.why,
        input: value,
        params: { expected: result.expected ?? facts.expected, meant: result.meant },
      })
      return z.NEVER
    })
    .register(leafFacts, facts)
}

/** A string that matches `pattern`, taken as it is. */
export function matching(pattern: RegExp, facts: LeafFacts & { why: string; example?: string }) {
  return text(facts, (value) => (pattern.test(value) ? value : new Rejection(facts.why)))
}

/** A whole number within bounds. */
export function integer(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`
  return z.int().min(min).max(max).register(leafFacts, { expected })
}

/** `true` or `false`. */
export function flag() {
  return z.boolean().register(leafFacts, { expected: 'true or false' })
}

/** `500ms`, `30s`, `5m`, `1h`, or a plain 0; in milliseconds. */
export function duration() {
  const expected = 'a duration such as 500ms, 30s, 5m or 1h'
  return z
    .union([z.string(), z.number().meta({ const: 0 })])
    .transform((value, context): number => {
      const result = parseDuration(String(value))
      if (!(result instanceof Rejection)) return result
      const params = { expected, meant: result.meant }
      context.addIssue({ code: 'custom', message: result.why, input: value, params })
      return z.NEVER
    })
    .register(leafFacts, { expected })
}

/** One of a few words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words).register(leafFacts, { expected: `one of ${words.join(', ')}` })
}

/** A path, resolved against the file's folder later. */
export function path() {
  return text({ expected: 'the path of a file or folder' }, nonEmpty)
}

/**
 * A secret and its `<name>_file` twin, both optional: which of them must be there is a rule of its
 * own, checked once the file has been read.
 */
export function secret<const K extends string>(name: K, description: string) {
  const facts = { expected: 'a secret', secret: true, quotable: true }
  const value = text(facts, (given) => {
    const kept = nonEmpty(given)
    return kept instanceof Rejection ? kept : new Secret(kept)
  })
  const file = path()
    .optional()
    .describe(`File that holds \`${name}\`; a final newline is dropped.`)
  return { [name]: value.optional().describe(description), [`${name}_file`]: file } as {
    [P in K]: z.ZodOptional<typeof value>
  } & { [P in `${K}_file`]: typeof file }
}

function nonEmpty(value: string): string | Rejection {
  return value === '' ? new Rejection('the value is empty') : value
}
