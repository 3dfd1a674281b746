/** Messages the tests of this folder share. */

/** Joins lines with CRLF. */
export function crlf(...lines: string[]): string {
  return lines.join('\r\n')
}

export const sdp = crlf(
  'v=0',
  'o=- 1 1 IN IP4 192.0.2.10',
  's=-',
  'c=IN IP4 192.0.2.10',
  't=0 0',
  'm=audio 20000 RTP/AVP 8',
  '',
)

/** Headers of a plain INVITE, by name, so that a test can change or drop one. */
export const inviteHeaders: Record<string, string> = {
  Via: 'SIP/2.0/UDP 192.0.2.10:5060;rport;branch=z9hG4bK776asdhds',
  'Max-Forwards': '70',
  From: '"Alice" <sip:alice@pbx.example.net>;tag=1928301774',
  To: '<sip:+441632960123@sip.example.com>',
  'Call-ID': 'a84b4c76e66710@192.0.2.10',
  CSeq: '314159 INVITE',
  Contact: '<sip:alice@192.0.2.10:5060>',
}

/** An INVITE with these headers changed; undefined drops one. */
export function invite(
  changes: Record<string, string | undefined> = {},
  body = '',
  line = 'INVITE sip:+441632960123@sip.example.com SIP/2.0',
): Buffer {
  const headers = { ...inviteHeaders, ...changes }
  const lines = Object.entries(headers)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}`)
  return Buffer.from(crlf(line, ...lines, '', body))
}
