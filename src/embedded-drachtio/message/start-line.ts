import type { Draft } from './draft.ts'
import { decimal, isToken } from './grammar.ts'
import { requestUriLength } from './limits.ts'
import { parseSipUri } from './uri.ts'

/**
 * Reads the Request-Line or Status-Line (RFC 3261 §7.1, §7.2) into the draft. Exactly one space
 * parts the elements; anything else is a fault, as RFC 4475 §3.1.2.7 to §3.1.2.10 ask. Returns
 * false when not even a method or status can be made out.
 */
export function readStartLine(line: string, draft: Draft): boolean {
  return line.startsWith('SIP/') ? readStatusLine(line, draft) : readRequestLine(line, draft)
}

function readRequestLine(line: string, draft: Draft): boolean {
  const first = line.indexOf(' ')
  const method = line.slice(0, Math.max(first, 0))
  if (!isToken(method)) {
    draft.fail(400, 'no method')
    return false
  }
  draft.method = method
  const second = line.indexOf(' ', first + 1)
  const uri = line.slice(first + 1, second < 0 ? line.length : second)
  draft.uri = uri
  const version = second < 0 ? '' : line.slice(second + 1)
  if (version !== 'SIP/2.0' && !/^SIP\/2\.0$/i.test(version)) {
    if (/^SIP\/\d+\.\d+$/i.test(version)) draft.fail(505, 'version not supported')
    else draft.fail(400, 'malformed request line')
  }
  if (uri.length > requestUriLength) draft.fail(414, 'Request-URI too long')
  else checkUri(uri, draft)
  return true
}

function checkUri(uri: string, draft: Draft): void {
  if (/^sips?:/i.test(uri)) {
    const parsed = parseSipUri(uri)
    if (!parsed) draft.fail(400, 'malformed Request-URI')
    // RFC 3261 §19.1.1, table 1: no headers in a Request-URI.
    else if (parsed.headers !== undefined) draft.fail(400, 'headers in the Request-URI')
  } else if (!/^[a-z][a-z0-9+.-]*:[^\s"<>]+$/i.test(uri)) {
    draft.fail(400, 'malformed Request-URI')
  }
}

function readStatusLine(line: string, draft: Draft): boolean {
  draft.kind = 'response'
  if (!line.startsWith('SIP/2.0 ')) {
    draft.fail(505, 'version not supported')
    return false
  }
  const code = decimal(line, 8, 11, 699)
  // The reason and even the space before it may be missing (RFC 4475 §3.1.1.13 and common peers).
  if (Number.isNaN(code) || code < 100 || (line.length > 11 && line.charCodeAt(11) !== 32)) {
    draft.fail(400, 'malformed status line')
    return false
  }
  draft.code = code
  draft.phrase = line.slice(12)
  return true
}
