const REDACTED = '[redacted]'

/** A header with its colon (RFC 3261 §25.1), or the continuation of one. */
const HEADER = /^(?:[\w.!%*+`'~-]+[ \t]*:|[ \t])/
/** An SDP line (RFC 8866 §5). */
const SDP = /^[ \t]*[A-Za-z][ \t]*=/

/**
 * Hides the lines of a head that are no headers: the rest of a header that was torn apart may be the
 * half with the secret. The start line stays, whatever it is.
 */
export function hideStrayHeaders(head: string): string {
  let first = true
  return head.replace(/[^\r\n]+/g, (line) => {
    if (!first) return HEADER.test(line) ? line : REDACTED
    first = false
    return line
  })
}

/** Attributes that hold no secret, whatever their value. */
const ATTRIBUTES = new Set(
  (
    'bundle-only candidate connection content cpar cdsc crypto direction end-of-candidates extmap ' +
    'extmap-allow-mixed fingerprint fmtp framerate group ice-lite ice-mismatch ice-options ice-pacing ' +
    'ice-pwd ice-ufrag inactive key-mgmt label lang maxptime mid msid msid-semantic ptime quality ' +
    'recvonly remote-candidates rid rtcp rtcp-fb rtcp-mux rtcp-mux-only rtcp-rsize rtcp-xr rtpmap ' +
    'sendonly sendrecv setup silencesupp simulcast sqn ssrc ssrc-group tls-id tool'
  ).split(' '),
)
/** What may be a key or a password: an ICE password has 22 characters or more (RFC 8839 §5.4). */
const LONG = /[\w+/=-]{16,}/g

/**
 * The same of an SDP. Of an attribute nobody knows the long values go as well: it may be a misspelt
 * one.
 */
export function hideStraySdp(body: string): string {
  return body.replace(/[^\r\n]+/g, (line) => {
    if (!SDP.test(line)) return REDACTED
    if (!/^[ \t]*a[ \t]*=/i.test(line)) return line
    const name = /^[ \t]*a[ \t]*=[ \t]*([\w-]+)[ \t]*(?::|$)/i.exec(line)?.[1]?.toLowerCase()
    return name !== undefined && ATTRIBUTES.has(name) ? line : line.replace(LONG, REDACTED)
  })
}
