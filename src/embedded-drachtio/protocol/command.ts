import { type HeaderLine, headerLine, isToken } from '../message/index.ts'

/** What an application sends: the leader's tokens and the partial SIP message behind it. */

/** The SIP text of a frame: start line, the headers the application cares about, body. */
export interface PartialMessage {
  startLine: string
  headers: HeaderLine[]
  body: Buffer | undefined
}

/** A decoded frame. */
export interface Command {
  tokens: string[]
  message: PartialMessage | undefined
}

/** A value the application supplied that must not reach the wire. */
export class RefusedValue extends Error {}

const lineBreak = 'line break or control character in a value'
const control = /[\0-\x08\x0a-\x1f\x7f]/

/**
 * Decodes a payload. Header lines whose name is no RFC 3261 token are dropped; a line break or
 * another control character inside a value is refused. `leader` hears of the tokens before the
 * message behind them can be refused.
 *
 * @throws RefusedValue
 */
export function parseCommand(payload: Buffer, leader?: (tokens: string[]) => void): Command {
  const leaderEnd = payload.indexOf('\r\n')
  const text = payload.toString('utf8', 0, leaderEnd < 0 ? payload.length : leaderEnd)
  const tokens = text.split('|')
  if (control.test(text)) throw new RefusedValue(lineBreak)
  leader?.(tokens)
  if (leaderEnd < 0) return { tokens, message: undefined }
  const blank = payload.indexOf('\r\n\r\n', leaderEnd + 2)
  const head = payload.toString('utf8', leaderEnd + 2, blank < 0 ? payload.length : blank)
  const body = blank < 0 || blank + 4 >= payload.length ? undefined : payload.subarray(blank + 4)
  return { tokens, message: parseHead(head, body) }
}

function parseHead(head: string, body: Buffer | undefined): PartialMessage | undefined {
  let end = head.indexOf('\r\n')
  const startLine = end < 0 ? head : head.slice(0, end)
  if (startLine === '') return undefined
  if (control.test(head.replaceAll('\r\n', ''))) {
    throw new RefusedValue(lineBreak)
  }
  const headers: HeaderLine[] = []
  while (end >= 0) {
    const start = end + 2
    end = head.indexOf('\r\n', start)
    const line = end < 0 ? head.slice(start) : head.slice(start, end)
    const colon = line.indexOf(':')
    if (line.startsWith(' ') || line.startsWith('\t')) {
      throw new RefusedValue(lineBreak)
    }
    const name = line.slice(0, Math.max(colon, 0)).trimEnd()
    if (isToken(name)) headers.push(headerLine(name, line.slice(colon + 1).trim()))
  }
  return { startLine, headers, body }
}
