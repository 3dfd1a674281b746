import { UsageError } from '../verb.ts'

/** An INVITE as text, read as far as routing needs it. */
export interface PastedInvite {
  uri: string
  callId: string
  /** Values by name as written; of a header that comes several times, joined by commas. */
  headers: Record<string, string>
  /** A header by its name in any case. */
  header(name: string): string | undefined
  /** Address the last hop came from, as its Via has it; undefined without one. */
  source: string | undefined
}

/** Short forms of header names (RFC 3261 §7.3.3). */
const COMPACT: Record<string, string> = {
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  v: 'via',
}

/**
 * Reads an INVITE out of a log or capture: what stands before its request line, and a margin in front of
 * all its lines, is passed over; line ends may be any.
 *
 * @throws {UsageError} when there is no INVITE in the text
 */
export function readInvite(text: string): PastedInvite {
  const lines = text.split(/\r\n|\n|\r/)
  const start = lines.findIndex((line) => /\bINVITE\s+\S+\s+SIP\/2\.0\s*$/.test(line))
  if (start < 0) throw new UsageError('no INVITE in the text; it starts with INVITE sip:… SIP/2.0')
  const first = lines[start]!
  const margin = first.slice(0, first.indexOf('INVITE'))
  const uri = /INVITE\s+(\S+)\s+SIP/.exec(first)![1]!
  const headers: Record<string, string> = {}
  let last: string | undefined
  for (const line of lines.slice(start + 1)) {
    const bare = line.startsWith(margin) ? line.slice(margin.length) : line
    if (bare.trim() === '' || bare.trim() === margin.trim()) break
    const folded = last !== undefined && /^[ \t]/.test(bare)
    if (folded) headers[last!] += ` ${bare.trim()}`
    else last = add(headers, bare)
  }
  const header = (name: string): string | undefined => {
    const key = Object.keys(headers).find((known) => known.toLowerCase() === name.toLowerCase())
    return key === undefined ? undefined : headers[key]
  }
  return { uri, callId: header('call-id') ?? '', headers, header, source: sourceOf(header('via')) }
}

/** Adds a header line; its name, or undefined when it is none. */
function add(headers: Record<string, string>, line: string): string | undefined {
  const colon = line.indexOf(':')
  if (colon <= 0) return undefined
  const written = line.slice(0, colon).trim()
  const name = COMPACT[written.toLowerCase()] ?? written
  const known = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase())
  const value = line.slice(colon + 1).trim()
  if (known === undefined) headers[name] = value
  else headers[known] += `, ${value}`
  return known ?? name
}

function sourceOf(via: string | undefined): string | undefined {
  const [top = ''] = (via ?? '').split(',', 1)
  const received = /;\s*received=([^;\s]+)/i.exec(top)?.[1]
  const sentBy = /^SIP\/2\.0\/\w+\s+(\[[^\]]+\]|[^\s;:]+)/i.exec(top.trim())?.[1]
  const address = received ?? sentBy
  return address?.replace(/^\[|\]$/g, '')
}
