import { isToken, paramSpan, quotedEnd, scanParam, skipSpace, unquote } from './grammar.ts'
import type { NameAddr } from './types.ts'

// Positions found by scanAddress. Module state and not a result object: this runs for From, To
// and Contact of every message.
let displayTo = 0
let uriFrom = 0
let uriTo = 0
let paramsFrom = 0

const tagName = /^tag$/i

/**
 * Scans one name-addr or addr-spec with its parameters from `from` (RFC 3261 §20.10). Returns the
 * index of the comma after it or the length of the text; -1 when malformed. The tag parameter is
 * left in {@link lastTag}. An unquoted display name may hold any character but `" , ; < >`, more
 * than the grammar's tokens, because deployed PBXs send names with UTF-8, `@` and brackets.
 */
export function scanAddress(text: string, from: number): number {
  let i = skipSpace(text, from)
  const start = i
  displayTo = start
  let bracket = -1
  if (text.charCodeAt(i) === 0x22) {
    displayTo = quotedEnd(text, i)
    if (displayTo < 0) return -1
    i = skipSpace(text, displayTo)
    if (text.charCodeAt(i) !== 0x3c) return -1
    bracket = i
  } else {
    while (i < text.length) {
      const c = text.charCodeAt(i)
      if (c === 0x3c) {
        bracket = i
        break
      }
      if (c === 0x3b || c === 0x2c) break
      if (c === 0x22 || c === 0x3e) return -1
      i++
    }
  }
  if (bracket >= 0) {
    if (displayTo === start) displayTo = bracket
    uriFrom = bracket + 1
    uriTo = text.indexOf('>', uriFrom)
    if (uriTo < 0 || !plausibleUri(text, uriFrom, uriTo, false)) return -1
    i = skipSpace(text, uriTo + 1)
  } else {
    uriFrom = start
    uriTo = i
    while (uriTo > start && text.charCodeAt(uriTo - 1) <= 32) uriTo--
    // Without brackets a `?` would be ambiguous (RFC 3261 §20, RFC 4475 §3.1.2.13).
    if (!plausibleUri(text, uriFrom, uriTo, true)) return -1
  }
  paramsFrom = i
  lastTag = ''
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c === 0x2c) break
    if (c !== 0x3b) return -1
    const name = skipSpace(text, i + 1)
    i = scanParam(text, name)
    if (i < 0) return -1
    const c0 = text.charCodeAt(name)
    if ((c0 !== 0x74 && c0 !== 0x54) || lastTag !== '') continue
    const span = paramSpan()
    if (span.nameTo - name === 3 && tagName.test(text.slice(name, span.nameTo))) {
      lastTag = text.slice(span.valueFrom, span.valueTo)
    }
  }
  return i
}

/** The first tag parameter of the address scanned last; '' when it had none. */
export let lastTag = ''

/** A scheme, a colon and something after it, without white space, quotes or angle brackets. */
function plausibleUri(text: string, from: number, to: number, bare: boolean): boolean {
  let colon = 0
  for (let i = from; i < to; i++) {
    const c = text.charCodeAt(i)
    if (c <= 32 || c === 0x22 || c === 0x3c || c === 0x7f) return false
    if (c === 0x3a && colon === 0) colon = i
    else if (bare && c === 0x3f) return false
  }
  return colon > from && colon + 1 < to
}

function build(text: string, from: number): { address: NameAddr; end: number } | undefined {
  const start = skipSpace(text, from)
  const end = scanAddress(text, from)
  if (end < 0) return undefined
  const quoted = text.charCodeAt(start) === 0x22
  const shown = text.slice(start, displayTo).trim()
  const address: NameAddr = {
    display: quoted ? unquote(shown) : shown.replace(/\s+/g, ' '),
    uri: text.slice(uriFrom, uriTo),
    params: {},
  }
  for (let i = paramsFrom; i < end; ) {
    const name = skipSpace(text, i + 1)
    i = scanParam(text, name)
    const span = paramSpan()
    const key = text.slice(name, span.nameTo).toLowerCase()
    if (!Object.hasOwn(address.params, key)) {
      address.params[key] = text.slice(span.valueFrom, span.valueTo)
    }
  }
  return { address, end }
}

/**
 * Parses one From, To, Contact, Route… value. Without `<>` everything after the first `;` is a
 * header parameter (RFC 3261 §20.10). Quoted parameter values keep their quotes. Undefined when
 * malformed or when more than one value is given.
 */
export function parseNameAddr(value: string): NameAddr | undefined {
  const found = build(value, 0)
  return found && found.end === value.length ? found.address : undefined
}

/** Parses a comma list of addresses (Contact, Route, Record-Route); undefined when one is malformed. */
export function parseNameAddrList(value: string): NameAddr[] | undefined {
  const list: NameAddr[] = []
  for (let i = 0; ; i++) {
    const found = build(value, i)
    if (!found) return undefined
    list.push(found.address)
    if (found.end === value.length) return list
    i = found.end
  }
}

/** Whether a value is a well-formed comma list of addresses; allocates nothing. */
export function isAddressList(value: string): boolean {
  for (let i = 0; ; i++) {
    i = scanAddress(value, i)
    if (i < 0) return false
    if (i === value.length) return true
  }
}

/** Writes an address with `<>`; the display name is quoted unless it is a single token. */
export function formatNameAddr(address: NameAddr): string {
  const { display, uri, params } = address
  let text = `<${uri}>`
  if (display !== '') {
    text = isToken(display)
      ? `${display} ${text}`
      : `"${display.replace(/[\\"]/g, '\\$&')}" ${text}`
  }
  for (const name of Object.keys(params)) {
    const value = params[name]!
    text += value === '' ? `;${name}` : `;${name}=${value}`
  }
  return text
}
