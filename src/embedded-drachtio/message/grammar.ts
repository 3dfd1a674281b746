/** Character classes and scanners of the SIP grammar (RFC 3261 §25.1), internal to this folder. */

const token = new Uint8Array(128)
for (const c of "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.!%*_+`'~") {
  token[c.charCodeAt(0)] = 1
}

/** Index of the first character at or after `from` that is no token character. */
export function tokenEnd(text: string, from: number): number {
  let i = from
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c > 127 || token[c] === 0) break
    i++
  }
  return i
}

/** Whether the whole text is one token (method, header name). */
export function isToken(text: string): boolean {
  return text.length > 0 && tokenEnd(text, 0) === text.length
}

/** Index of the first character at or after `from` that is neither space nor tab. */
export function skipSpace(text: string, from: number): number {
  let i = from
  while (i < text.length) {
    const c = text.charCodeAt(i)
    if (c !== 32 && c !== 9) break
    i++
  }
  return i
}

/** Index after the closing quote of the quoted string that opens at `from`; -1 when it never closes. */
export function quotedEnd(text: string, from: number): number {
  for (let i = from + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x5c) i++
    else if (c === 0x22) return i + 1
  }
  return -1
}

/**
 * Value of a run of decimal digits; NaN when `text[from, to)` is empty, holds anything else or
 * exceeds `max`. Leading zeros are legal (RFC 4475 §3.1.1.1).
 */
export function decimal(text: string, from: number, to: number, max: number): number {
  if (from >= to) return Number.NaN
  let value = 0
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) return Number.NaN
    value = value * 10 + digit
    if (value > max) return Number.NaN
  }
  return value
}

/** The text a quoted string stands for; `quoted` includes both quotes. */
export function unquote(quoted: string): string {
  const inner = quoted.slice(1, -1)
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner
}

/**
 * Index of the first comma at or after `from` outside quotes and angle brackets; the length of the
 * text when there is none.
 */
export function listItemEnd(text: string, from: number): number {
  for (let i = from; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === 0x2c) return i
    if (c === 0x22) {
      const end = quotedEnd(text, i)
      if (end < 0) return text.length
      i = end - 1
    } else if (c === 0x3c) {
      const end = text.indexOf('>', i)
      if (end < 0) return text.length
      i = end
    }
  }
  return text.length
}

// Index after the name and after the whole of the parameter scanned last; written by scanParam.
let nameTo = 0
let valueFrom = 0
let valueTo = 0

/** Where scanParam found the name's end and the value; the value is empty when `from === to`. */
export function paramSpan(): { nameTo: number; valueFrom: number; valueTo: number } {
  return { nameTo, valueFrom, valueTo }
}

/**
 * Scans `name [= value]` (generic-param, white space around `=` included) from `from`, which must
 * be the first character of the name. Returns the index of what follows after white space, or -1
 * when it is malformed. Values may hold more than tokens and hosts: peers put `@` and `:` in tags.
 */
export function scanParam(text: string, from: number): number {
  nameTo = tokenEnd(text, from)
  if (nameTo === from) return -1
  let i = skipSpace(text, nameTo)
  valueFrom = i
  valueTo = i
  if (text.charCodeAt(i) !== 0x3d) return i
  i = skipSpace(text, i + 1)
  valueFrom = i
  if (text.charCodeAt(i) === 0x22) {
    i = quotedEnd(text, i)
    if (i < 0) return -1
  } else {
    while (i < text.length) {
      const c = text.charCodeAt(i)
      if (c === 0x3b || c === 0x2c || c === 32 || c === 9) break
      if (c === 0x22 || c === 0x3c || c === 0x3e || c < 32) return -1
      i++
    }
  }
  valueTo = i
  return skipSpace(text, i)
}
