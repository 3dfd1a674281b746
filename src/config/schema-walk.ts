import { z } from 'zod'
import type { Secret } from '../shared/secret.ts'
import type { HostPort, SipUri } from './addresses.ts'
import { leafFacts } from './leaf.ts'
import type { FileValues } from './schema/index.ts'
import type { Path } from './source.ts'
import type { ListenAddress, SipConfig, TrunkTarget } from './types.ts'
import type { PortRange } from './units.ts'

type Leaf =
  | Secret
  | ListenAddress
  | TrunkTarget
  | SipUri
  | HostPort
  | PortRange
  | SipConfig['server']

/** A value of which any part may be missing, because the file had it wrong. */
export type Partially<T> = T extends Leaf
  ? T
  : T extends readonly (infer U)[]
    ? (Partially<U> | undefined)[]
    : T extends object
      ? { [K in keyof T]?: Partially<T[K]> | undefined }
      : T

/** What could be read of a file, right or wrong: the ground of the rules between keys. */
export type Draft = Partially<FileValues>

/** The schema beneath optional, default and transform wrappers. */
export function unwrap(schema: z.ZodType): z.ZodType {
  let current = schema
  for (;;) {
    if (current instanceof z.ZodOptional || current instanceof z.ZodPrefault) {
      current = current.unwrap() as z.ZodType
    } else if (current instanceof z.ZodPipe) {
      current = current.in as z.ZodType
    } else return current
  }
}

/** The schema at a path, wrappers taken off, or undefined where the schema ends. */
export function schemaAt(root: z.ZodType, path: Path): z.ZodType | undefined {
  let current: z.ZodType | undefined = root
  for (const step of path) current = current && childOf(unwrap(current), step)
  return current && unwrap(current)
}

/** Facts of the leaf at a path; those of the outermost wrapper that has any. */
export function factsAt(root: z.ZodType, path: Path) {
  let current: z.ZodType | undefined = root
  for (const step of path) current = current && childOf(unwrap(current), step)
  for (let schema = current; schema; ) {
    const facts = leafFacts.get(schema)
    if (facts) return facts
    if (schema instanceof z.ZodOptional || schema instanceof z.ZodPrefault) {
      schema = schema.unwrap() as z.ZodType
    } else return undefined
  }
  return undefined
}

/** The keys an object of the schema may have; none for anything else. */
export function knownKeys(schema: z.ZodType | undefined): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  if (!(schema instanceof z.ZodUnion)) return []
  return schema.options.flatMap((option) => knownKeys(unwrap(option as z.ZodType)))
}

/** Every key path of the schema, list positions as `[]`: `trunks[].accept.from`. */
export function keyPaths(schema: z.ZodType, prefix = ''): string[] {
  const bare = unwrap(schema)
  if (bare instanceof z.ZodArray) return keyPaths(bare.element as z.ZodType, `${prefix}[]`)
  if (bare instanceof z.ZodUnion) {
    return bare.options.flatMap((option) => keyPaths(option as z.ZodType, prefix))
  }
  if (!(bare instanceof z.ZodObject)) return []
  return Object.entries(bare.shape as Record<string, z.ZodType>).flatMap(([key, child]) => {
    const path = prefix === '' ? key : `${prefix}.${key}`
    return [path, ...keyPaths(child, path)]
  })
}

/**
 * A schema that never fails: what is wrong becomes undefined, what is right keeps its parsed value.
 * So the rules between keys can be checked although some of the keys are wrong.
 */
export function lenient(schema: z.ZodType): z.ZodType {
  const bare = unwrap(schema)
  if (bare instanceof z.ZodObject) {
    const shape: Record<string, z.ZodType> = {}
    for (const [key, child] of Object.entries(bare.shape)) shape[key] = lenient(child as z.ZodType)
    return withDefault(schema, z.object(shape))
  }
  if (bare instanceof z.ZodArray) {
    return withDefault(schema, z.array(lenient(bare.element as z.ZodType)))
  }
  return schema.optional().catch(undefined)
}

function withDefault(original: z.ZodType, schema: z.ZodType): z.ZodType {
  const filled = original instanceof z.ZodPrefault ? schema.prefault(emptyOf(original)) : schema
  return filled.optional().catch(undefined)
}

function emptyOf(schema: z.ZodPrefault): unknown {
  return schema.def.defaultValue
}

function childOf(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType
  if (schema instanceof z.ZodObject) return schema.shape[step] as z.ZodType | undefined
  if (schema instanceof z.ZodRecord) return schema.valueType as z.ZodType
  if (schema instanceof z.ZodUnion) {
    for (const option of schema.options) {
      const child = childOf(unwrap(option as z.ZodType), step)
      if (child) return child
    }
  }
  return undefined
}
