/** Whole seconds at the start of a header or parameter; a comment may follow (RFC 3261 §20.33). */
export function seconds(value: string | undefined): number | undefined {
  const match = /^\s*(\d{1,10})\b/.exec(value ?? '')
  return match ? Number(match[1]) : undefined
}

/** Retry-After in milliseconds; undefined when there is none. */
export function retryAfterOf(
  response: { header(name: string): string | undefined } | undefined,
): number | undefined {
  const wait = seconds(response?.header('retry-after'))
  return wait === undefined ? undefined : wait * 1000
}
