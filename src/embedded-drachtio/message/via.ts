import { bracketed } from '../../shared/host-port.ts'
import { decimal, listItemEnd, paramSpan, scanParam, skipSpace, tokenEnd } from './grammar.ts'
import type { SipMessage, Via } from './types.ts'
import { normalHost } from './uri.ts'

/**
 * Parses the first via-parm of a Via value (RFC 3261 §20.42), white space around separators
 * allowed (`SIP / 2.0 / UDP`). Undefined when malformed. `lenient` skips empty parameters and takes
 * any protocol version: enough to answer a request that is refused for them.
 */
export function parseVia(value: string, lenient = false): Via | undefined {
  let end = tokenEnd(value, 0)
  if (value.slice(0, end).toUpperCase() !== 'SIP') return undefined
  let i = afterSlash(value, end)
  end = tokenEnd(value, i)
  if (i < 0 || (!lenient && value.slice(i, end) !== '2.0')) return undefined
  i = afterSlash(value, end)
  end = tokenEnd(value, i)
  if (i < 0 || end === i) return undefined
  const transport = value.slice(i, end).toUpperCase()
  i = skipSpace(value, end)
  if (i === end) return undefined

  end = hostEnd(value, i)
  const host = end < 0 ? undefined : normalHost(value.slice(i, end))
  if (host === undefined) return undefined
  i = skipSpace(value, end)
  let port: number | undefined
  if (value.charCodeAt(i) === 0x3a) {
    const from = skipSpace(value, i + 1)
    end = tokenEnd(value, from)
    port = decimal(value, from, end, 65535)
    if (Number.isNaN(port)) return undefined
    i = skipSpace(value, end)
  }
  const via: Via = { transport, host, port, branch: '', rport: undefined, received: undefined }
  return parseParams(value, i, via, lenient) ? via : undefined
}

function afterSlash(value: string, from: number): number {
  const i = skipSpace(value, from)
  return value.charCodeAt(i) === 0x2f ? skipSpace(value, i + 1) : -1
}

function hostEnd(value: string, from: number): number {
  if (value.charCodeAt(from) === 0x5b) return value.indexOf(']', from) + 1 || -1
  let i = from
  while (i < value.length) {
    const c = value.charCodeAt(i)
    if (c === 0x3a || c === 0x3b || c === 0x2c || c === 32 || c === 9) break
    i++
  }
  return i
}

function parseParams(value: string, from: number, via: Via, lenient: boolean): boolean {
  let i = from
  while (i < value.length) {
    const c = value.charCodeAt(i)
    if (c === 0x2c) return lenient || skipSpace(value, i + 1) < value.length
    if (c !== 0x3b) return false
    const name = skipSpace(value, i + 1)
    i = scanParam(value, name)
    if (i < 0) {
      const next = value.charCodeAt(name)
      if (!lenient || (name < value.length && next !== 0x3b && next !== 0x2c)) return false
      i = name
      continue
    }
    const span = paramSpan()
    switch (value.slice(name, span.nameTo).toLowerCase()) {
      case 'branch':
        via.branch = value.slice(span.valueFrom, span.valueTo)
        break
      case 'rport':
        via.rport = decimal(value, span.valueFrom, span.valueTo, 65535) || 0
        break
      case 'received':
        via.received = value.slice(span.valueFrom, span.valueTo).replace(/^\[(.*)\]$/, '$1')
        break
    }
  }
  return true
}

/** Writes a Via value: `SIP/2.0/TLS [2001:db8::1]:5061;rport;branch=z9hG4bK1`. */
export function formatVia(via: Via): string {
  let text = `SIP/2.0/${via.transport} ${bracketed(via.host)}`
  if (via.port !== undefined) text += `:${via.port}`
  if (via.rport !== undefined) text += via.rport === 0 ? ';rport' : `;rport=${via.rport}`
  if (via.received !== undefined) text += `;received=${via.received}`
  return via.branch === '' ? text : `${text};branch=${via.branch}`
}

/**
 * Notes in the top Via of a request where it came from: `received` when the sent-by host is not
 * that address or `rport` was asked for (RFC 3261 §18.2.1, RFC 3581 §4), the port when `rport` was
 * asked for. Other parameters and further values of the line stay as they are.
 */
export function stampVia(message: SipMessage, address: string, port: number): void {
  const via = message.via
  const wanted = via.rport !== undefined
  if (!wanted && via.host === address && via.received === undefined) return
  const line = message.headers.find((header) => header.key === 'via')
  if (!line) return
  const value = line.value
  const to = listItemEnd(value, 0)
  let i = value.indexOf(';')
  if (i < 0 || i > to) i = to
  let text = value.slice(0, i).trimEnd()
  while (i < to) {
    const name = skipSpace(value, i + 1)
    i = scanParam(value, name)
    if (i < 0) return
    const span = paramSpan()
    const kept = value.slice(name, span.nameTo)
    if (/^(?:received|rport)$/i.test(kept)) continue
    text += `;${kept}`
    if (span.valueTo > span.valueFrom) text += `=${value.slice(span.valueFrom, span.valueTo)}`
  }
  via.received = address
  if (wanted) {
    via.rport = port
    text += `;rport=${port}`
  }
  line.value = `${text};received=${address}${value.slice(to)}`
}
