import { isUtf8 } from 'node:buffer'
import { Draft } from './draft.ts'
import { decimal, isToken, skipSpace } from './grammar.ts'
import { cseqMax, defaultLimits } from './limits.ts'
import { isAddressList, lastTag, scanAddress } from './name-addr.ts'
import { knownName } from './names.ts'
import { readStartLine } from './start-line.ts'
import type { HeaderLine, MessageLimits, SipMessage } from './types.ts'
import { parseVia } from './via.ts'

const blankLine = Buffer.from('\r\n\r\n')

/**
 * Parses one datagram or one framed message (RFC 3261 §7, §18.3). Throws SipParseError with the
 * status a request like it deserves; its `partial` is set when that can be answered. The body
 * shares memory with `bytes` unless that would keep a much larger buffer alive.
 */
export function parseMessage(bytes: Buffer, limits: MessageLimits = defaultLimits): SipMessage {
  const draft = new Draft()
  let start = 0
  while (bytes[start] === 13 && bytes[start + 1] === 10) start += 2
  let headEnd = bytes.indexOf(blankLine, start)
  let bodyStart = headEnd + 4
  if (bytes.length - start > limits.messageBytes) draft.fail(513, 'message too large')
  if (headEnd < 0) {
    draft.fail(400, 'no blank line after the headers')
    headEnd = bodyStart = bytes.length
  }
  // Without a usable head in bounds there is nothing worth reading.
  if (headEnd - start > limits.messageBytes) throw draft.error()

  const head = decodeHead(bytes, start, headEnd)
  const lineEnd = head.indexOf('\r')
  const startLine = lineEnd < 0 ? head : head.slice(0, lineEnd)
  if (!readStartLine(startLine, draft)) throw draft.error()
  if (lineEnd >= 0) readHeaders(head, lineEnd, draft, limits)
  if (head.indexOf('\0') >= 0 && /(?:^|[^\\])\0/.test(head)) draft.fail(400, 'NUL in the headers')

  let body: Buffer | undefined
  if (draft.contentLength > bytes.length - bodyStart) {
    draft.fail(400, 'body shorter than Content-Length')
  } else {
    const bodyEnd = draft.contentLength < 0 ? bytes.length : bodyStart + draft.contentLength
    if (bodyEnd > bodyStart) body = takeBody(bytes, bodyStart, bodyEnd)
  }
  return finish(draft, body)
}

/** UTF-8, or Latin-1 when it is no UTF-8: old PBXs put that into display names. */
function decodeHead(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  if (!text.includes('\ufffd') || isUtf8(bytes.subarray(start, end))) return text
  return bytes.toString('latin1', start, end)
}

/** A slice, or a copy when the slice would hold on to a read buffer shared with other messages. */
function takeBody(bytes: Buffer, start: number, end: number): Buffer {
  const slice = bytes.subarray(start, end)
  if (bytes.buffer.byteLength - bytes.length < 4096) return slice
  const copy = Buffer.allocUnsafeSlow(end - start)
  copy.set(slice)
  return copy
}

/** Reads the header lines that follow the CR at `lineEnd`; stops at a fault in the framing. */
function readHeaders(head: string, lineEnd: number, draft: Draft, limits: MessageLimits): void {
  let cr = lineEnd
  while (cr < head.length) {
    const from = cr + 2
    const lineFeed = head.charCodeAt(cr + 1) === 10
    // A lone LF would be a line end to some peers and part of the value to others.
    let lf = head.indexOf('\n', from)
    cr = head.indexOf('\r', from)
    if (cr < 0) cr = head.length
    let folded = false
    while (lf === cr + 1 && isBlank(head.charCodeAt(lf + 1))) {
      folded = true
      cr = head.indexOf('\r', lf + 1)
      lf = head.indexOf('\n', lf + 1)
      if (cr < 0) cr = head.length
    }
    if (!lineFeed || (lf >= 0 && lf < cr)) {
      draft.fail(400, 'CR or LF alone')
      return
    }
    if (draft.headers.length === limits.headerCount) {
      draft.fail(400, 'too many headers')
      return
    }
    if (cr - from > limits.headerBytes) draft.fail(400, 'header too long')
    else readLine(head, from, cr, folded, draft)
  }
}

function isBlank(c: number): boolean {
  return c === 32 || c === 9
}

function readLine(head: string, from: number, to: number, folded: boolean, draft: Draft): void {
  const colon = head.indexOf(':', from)
  let nameTo = colon >= 0 && colon < to ? colon : from
  while (nameTo > from && isBlank(head.charCodeAt(nameTo - 1))) nameTo--
  const name = head.slice(from, nameTo)
  const row = knownName(name)
  if (!row && !isToken(name)) {
    draft.fail(400, 'malformed header name')
    return
  }
  let valueFrom = colon + 1
  let valueTo = to
  while (valueFrom < valueTo && isBlank(head.charCodeAt(valueFrom))) valueFrom++
  while (valueTo > valueFrom && isBlank(head.charCodeAt(valueTo - 1))) valueTo--
  let value = head.slice(valueFrom, valueTo)
  if (folded) value = value.replace(/\r\n[ \t]+/g, ' ').trim()
  if (!row) {
    draft.headers.push({ key: name.toLowerCase(), name, value })
    return
  }
  const line: HeaderLine = { key: row.key, name: row.name, value }
  draft.headers.push(line)
  notice(line, draft)
}

/** Keeps the lines every message needs and checks those whose faults must not travel on. */
function notice(line: HeaderLine, draft: Draft): void {
  const { key, value } = line
  switch (key) {
    case 'via':
    case 'from':
    case 'to':
    case 'call-id':
    case 'cseq':
    case 'max-forwards':
      if (draft.first[key] === undefined) draft.first[key] = line
      else if (key !== 'via') draft.fail(400, `more than one ${line.name}`)
      if (key === 'max-forwards' && Number.isNaN(decimal(value, 0, value.length, 255))) {
        draft.fail(400, 'malformed Max-Forwards')
      }
      break
    case 'content-length': {
      const length = decimal(value, 0, value.length, 2 ** 31)
      if (Number.isNaN(length)) draft.fail(400, 'malformed Content-Length')
      else if (draft.contentLength >= 0 && draft.contentLength !== length) {
        draft.fail(400, 'contradicting Content-Length')
      } else draft.contentLength = length
      break
    }
    case 'contact':
      if (value !== '*' && !isAddressList(value)) draft.fail(400, 'malformed Contact')
      break
    case 'route':
    case 'record-route':
      if (!isAddressList(value)) draft.fail(400, `malformed ${line.name}`)
      break
  }
}

/** Parses the five headers every layer asks for and makes the message, or throws the fault. */
function finish(draft: Draft, body: Buffer | undefined): SipMessage {
  const { from, to, cseq, 'call-id': callId, via: viaLine } = draft.first
  const viaValue = viaLine?.value ?? ''
  let via = parseVia(viaValue)
  if (!via) {
    draft.fail(400, viaLine ? 'malformed Via' : 'no Via')
    via = parseVia(viaValue, true)
  }
  if (!from || !to || !callId || !cseq || !via) {
    draft.fail(400, 'From, To, Call-ID or CSeq missing')
    throw draft.error()
  }
  if (callId.value === '') draft.fail(400, 'empty Call-ID')
  const fromTag = readTag(from, draft)
  const toTag = readTag(to, draft)
  const number = readCSeq(cseq.value, draft)
  const base = {
    headers: draft.headers,
    body,
    callId: callId.value,
    cseq: number,
    method: draft.method,
    fromTag,
    toTag,
    via,
  }
  const message: SipMessage =
    draft.kind === 'request'
      ? { kind: 'request', uri: draft.uri, ...base }
      : { kind: 'response', status: draft.code, reason: draft.phrase, ...base }
  if (draft.status !== 0) throw draft.error(message)
  return message
}

function readTag(line: HeaderLine, draft: Draft): string {
  if (scanAddress(line.value, 0) === line.value.length) return lastTag
  draft.fail(400, `malformed ${line.name}`)
  return ''
}

/** Number of the CSeq; the method goes to the draft of a response and must match in a request. */
function readCSeq(value: string, draft: Draft): number {
  let digits = 0
  while (digits < value.length && !isBlank(value.charCodeAt(digits))) digits++
  const number = decimal(value, 0, digits, cseqMax)
  const method = value.slice(skipSpace(value, digits))
  if (Number.isNaN(number) || !isToken(method)) {
    draft.fail(400, 'malformed CSeq')
    return 0
  }
  if (draft.kind === 'response') draft.method = method
  else if (draft.method !== method) draft.fail(400, 'CSeq names another method')
  return number
}
