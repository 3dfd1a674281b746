import { globCovers } from '../../shared/glob.ts'
import type { Draft } from '../schema-walk.ts'

type Number = NonNullable<NonNullable<Draft['numbers']>[number]>
type Routes = NonNullable<NonNullable<Number['inbound']>['routes']>
type Match = NonNullable<NonNullable<Routes[number]>['match']>

/**
 * Whether every call that fulfils `narrow` is known to fulfil `wide`: condition by condition, what
 * `wide` asks for follows from what `narrow` asks for. Says no when it cannot tell.
 */
export function covers(wide: Match, narrow: Match): boolean {
  return (
    coversParams(wide.params ?? {}, narrow.params ?? {}) &&
    coversList(wide.country, narrow.country, (one, other) => one === other) &&
    coversList(wide.payload, narrow.payload, globCovers) &&
    (wide.hours === undefined || wide.hours === narrow.hours)
  )
}

function coversParams(
  wide: Record<string, string | undefined>,
  narrow: Record<string, string | undefined>,
): boolean {
  const known = new Map(
    Object.entries(narrow).map(([name, value]) => [name.toLowerCase(), value?.toLowerCase()]),
  )
  return Object.entries(wide).every(([name, value]) => {
    const other = known.get(name.toLowerCase())
    return value !== undefined && other !== undefined && globCovers(value.toLowerCase(), other)
  })
}

/** A list is fulfilled by any of its entries. */
function coversList(
  wide: Match['country'],
  narrow: Match['country'],
  covered: (wide: string, narrow: string) => boolean,
): boolean {
  const [outer, inner] = [entries(wide), entries(narrow)]
  if (outer.length === 0) return true
  return inner.length > 0 && inner.every((one) => outer.some((other) => covered(other, one)))
}

function entries(value: Match['country']): string[] {
  if (value === undefined) return []
  const list = typeof value === 'string' ? [value] : value
  return list.filter((entry) => entry !== undefined)
}
