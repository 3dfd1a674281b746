/**
 * What a mapping may hold: `*` after a key stands for required, a function judges a value, an array
 * with one shape is a list of it, and `any` is let be.
 */
export type Shape = 'any' | ((value: unknown) => boolean) | [Shape] | { [key: string]: Shape }

/** What does not fit the shape, each with its path; empty when all does. */
export function misfits(value: unknown, shape: Shape, path = ''): string[] {
  if (shape === 'any') return []
  if (typeof shape === 'function') return shape(value) ? [] : [`${path}: ${JSON.stringify(value)}`]
  if (Array.isArray(shape)) {
    if (!Array.isArray(value)) return [`${path}: not a list`]
    return value.flatMap((item, index) => misfits(item, shape[0], `${path}[${index}]`))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [`${path}: not a mapping`]
  }
  const fields = new Map(Object.entries(shape).map(([key, inner]) => [key.replace('*', ''), inner]))
  const each = fields.get('<any>')
  const unknown = Object.entries(value).flatMap(([key, inner]) => {
    const known = fields.get(key) ?? each
    const place = path === '' ? key : `${path}.${key}`
    return known === undefined ? [`${place}: unknown`] : misfits(inner, known, place)
  })
  const missing = Object.keys(shape)
    .filter((key) => key.endsWith('*') && !(key.slice(0, -1) in value))
    .map((key) => `${path}: no ${key.slice(0, -1)}`)
  return [...unknown, ...missing]
}

export const text = (value: unknown): boolean => typeof value === 'string' && value !== ''
export const flag = (value: unknown): boolean => typeof value === 'boolean'
export const count = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0
export const port = (value: unknown): boolean =>
  count(value) && Number(value) > 0 && Number(value) < 65_536
export const among =
  (...values: unknown[]) =>
  (value: unknown): boolean =>
    values.includes(value)
export const like =
  (pattern: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && pattern.test(value)
export const either =
  (...shapes: Shape[]) =>
  (value: unknown): boolean =>
    shapes.some((shape) => misfits(value, shape).length === 0)
