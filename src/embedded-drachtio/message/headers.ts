import { CausewayError } from '../../shared/errors/index.ts'
import { isToken, listItemEnd } from './grammar.ts'
import { canonicalName, expandCompact, isListHeader, knownName } from './names.ts'
import type { HeaderLine } from './types.ts'

/** A header line from a name in any spelling: `headerLine('call-id', v)` goes out as `Call-ID`. */
export function headerLine(name: string, value: string): HeaderLine {
  const row = knownName(name)
  return row
    ? { key: row.key, name: row.name, value }
    : { key: name.toLowerCase(), name: canonicalName(name), value }
}

/** Raw value of the first line with this key (lower case, long form); undefined without one. */
export function headerValue(headers: readonly HeaderLine[], key: string): string | undefined {
  for (const line of headers) if (line.key === key) return line.value
  return undefined
}

/**
 * Values of all lines with this key, in order. Where the grammar allows a list (Via, Contact,
 * Allow…) lines are split at commas outside quotes and `<>`; others (Date, Authorization, unknown
 * headers) give one value a line.
 */
export function headerValues(headers: readonly HeaderLine[], key: string): string[] {
  const values: string[] = []
  const list = isListHeader(key)
  for (const line of headers) {
    if (line.key !== key) continue
    if (list) pushListItems(line.value, values)
    else values.push(line.value)
  }
  return values
}

/** Splits a value at commas outside quotes and `<>`; trims the parts, leaves empty ones out. */
export function splitList(value: string): string[] {
  const items: string[] = []
  pushListItems(value, items)
  return items
}

function pushListItems(value: string, into: string[]): void {
  for (let from = 0; from <= value.length; ) {
    const to = listItemEnd(value, from)
    const item = value.slice(from, to).trim()
    if (item !== '') into.push(item)
    from = to + 1
  }
}

/** Sets a header to one value: the first line with that name is changed, others go; else appended. */
export function setHeader(headers: HeaderLine[], name: string, value: string): void {
  const key = expandCompact(name)
  const at = headers.findIndex((line) => line.key === key)
  if (at < 0) {
    headers.push(headerLine(name, value))
    return
  }
  headers[at] = headerLine(name, value)
  for (let i = headers.length - 1; i > at; i--) {
    if (headers[i]!.key === key) headers.splice(i, 1)
  }
}

/** Removes every line with this key (lower case, long form). */
export function removeHeaders(headers: HeaderLine[], key: string): void {
  let kept = 0
  for (const line of headers) if (line.key !== key) headers[kept++] = line
  headers.length = kept
}

/**
 * Guards what an application supplies: the name must be a token and the value free of CR, LF and
 * NUL, else one header could smuggle in another. Throws SIP_HEADER_INJECTION; the value is not in
 * the error, since it may be a credential.
 */
export function assertHeaderSafe(name: string, value: string): void {
  if (!isToken(name)) {
    throw new CausewayError('SIP_HEADER_INJECTION', {
      detail: `${JSON.stringify(name.slice(0, 64))} is not a header name`,
    })
  }
  if (/[\r\n\0]/.test(value)) {
    throw new CausewayError('SIP_HEADER_INJECTION', {
      detail: `the value of ${name.slice(0, 64)} holds a line break or NUL`,
    })
  }
}
