const REDACTED = '[redacted]'

/**
 * Digest parameters (RFC 8760, RFC 7616) that tell nothing about a password. All others, those
 * nobody has thought of included, lose their values.
 */
const HARMLESS = new Set([
  'realm',
  'algorithm',
  'qop',
  'uri',
  'username',
  'userhash',
  'nc',
  'stale',
  'domain',
  'charset',
])

const PARAMETER = /[\s,]*([\w-]+)\s*=\s*("(?:[^"\\\r\n]|\\.)*"|[^\s",;=]*)\s*(?=,|$)/y

/**
 * The value of a header with credentials or a challenge, without what would help to answer one. Of
 * a value that does not parse, what follows the fault is gone.
 */
export function redactCredentials(value: string): string {
  const scheme = /^\s*(Digest)\s+/i.exec(value)
  const info = /^\s*(?:rspauth|nextnonce|qop|cnonce|nc)\s*=/i.test(value)
  if (!scheme && !info) return REDACTED
  const parameters: string[] = []
  PARAMETER.lastIndex = scheme?.[0].length ?? 0
  let end = PARAMETER.lastIndex
  for (let match = PARAMETER.exec(value); match; match = PARAMETER.exec(value)) {
    end = PARAMETER.lastIndex
    const [, name = '', content = ''] = match
    const kept = HARMLESS.has(name.toLowerCase()) ? content : `"${REDACTED}"`
    parameters.push(`${name}=${kept}`)
    if (end >= value.length) break
  }
  if (value.slice(end).replace(/[\s,]+/g, '') !== '') parameters.push(REDACTED)
  return `${scheme ? `${scheme[1]} ` : ''}${parameters.join(', ')}`
}
