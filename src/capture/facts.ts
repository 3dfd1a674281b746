/** Method, or status and reason, of a start line that may be anything. */
export function nameOf(text: string): string {
  const line = /^[^\r\n]*/.exec(text)?.[0] ?? ''
  const status = /^SIP\/2\.0 +(\d{3})(?: +(.*))?$/i.exec(line)
  if (status) return status[2] ? `${status[1]} ${status[2].trimEnd()}` : status[1]!
  return /^([A-Za-z0-9.!%*_+`'~-]+) \S+ SIP\/2\.0\s*$/i.exec(line)?.[1] ?? 'unreadable'
}

/** Call-ID of a message; undefined when none can be read. */
export function callIdOf(text: string): string | undefined {
  return /^(?:call-id|i)[ \t]*:[ \t]*(\S+)/im.exec(text)?.[1]
}

/** Method in CSeq; undefined when none can be read. */
export function methodOf(text: string): string | undefined {
  return /^cseq[ \t]*:[ \t]*\d+[ \t]+([A-Za-z]+)/im.exec(text)?.[1]
}
