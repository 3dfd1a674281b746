/** Header names: canonical spelling, compact forms, and which headers are comma lists. */

const compact: Record<string, string> = {
  a: 'accept-contact',
  b: 'referred-by',
  c: 'content-type',
  d: 'request-disposition',
  e: 'content-encoding',
  f: 'from',
  i: 'call-id',
  j: 'reject-contact',
  k: 'supported',
  l: 'content-length',
  m: 'contact',
  n: 'identity-info',
  o: 'event',
  r: 'refer-to',
  s: 'subject',
  t: 'to',
  u: 'allow-events',
  v: 'via',
  x: 'session-expires',
  y: 'identity',
}

const spelled = `Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events
Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding
Content-ID Content-Language Content-Length Content-Transfer-Encoding Content-Type CSeq Date
Diversion Error-Info Event Expires Feature-Caps Flow-Timer From Geolocation History-Info Identity
Identity-Info In-Reply-To Info-Package Join Max-Breadth Max-Forwards MIME-Version Min-Expires Min-SE
Organization P-Access-Network-Info P-Asserted-Identity P-Associated-URI P-Called-Party-ID
P-Charging-Function-Addresses P-Charging-Vector P-Early-Media P-Preferred-Identity
P-Visited-Network-ID Path Priority Privacy Proxy-Authenticate Proxy-Authorization Proxy-Require
RAck Reason Recv-Info Record-Route Refer-Sub Refer-To Referred-By Reject-Contact Remote-Party-ID
Replaces Reply-To Request-Disposition Require Retry-After Route RSeq Security-Client Security-Server
Security-Verify Server Service-Route Session-Expires Session-ID SIP-ETag SIP-If-Match Subject
Subscription-State Supported Timestamp To Unsupported User-Agent User-to-User Via Warning
WWW-Authenticate`.split(/\s+/)

const lists = new Set(
  `accept accept-contact accept-encoding accept-language alert-info allow allow-events call-info
contact content-encoding content-language diversion error-info feature-caps geolocation
history-info identity in-reply-to p-asserted-identity p-associated-uri p-early-media
p-preferred-identity p-visited-network-id path proxy-require reason record-route recv-info
reject-contact remote-party-id request-disposition require route security-client security-server
security-verify service-route supported unsupported user-to-user via warning`.split(/\s+/),
)

/** A known header: lower-case key and spelling on the wire. */
export interface KnownName {
  readonly key: string
  readonly name: string
}

// Keyed by the spellings seen most (canonical, lower case, compact), so that one look-up suffices.
const known = new Map<string, KnownName>()
for (const name of spelled) {
  const entry: KnownName = { key: name.toLowerCase(), name }
  known.set(name, entry)
  known.set(entry.key, entry)
}
for (const [letter, key] of Object.entries(compact)) {
  const entry = known.get(key)!
  known.set(letter, entry)
  known.set(letter.toUpperCase(), entry)
}

/** The table row of a header name in any case or compact form; undefined when unknown. */
export function knownName(name: string): KnownName | undefined {
  return known.get(name) ?? known.get(name.toLowerCase())
}

/** Lower-case key of a header name, compact form expanded: `i` → `call-id` (RFC 3261 §7.3.3). */
export function expandCompact(name: string): string {
  return knownName(name)?.key ?? name.toLowerCase()
}

/**
 * Spelling of a header name on the wire: the registered one when known (`cseq` → `CSeq`), as given
 * for `X-` names, else every word after a `-` capitalised (`p-foo` → `P-Foo`).
 */
export function canonicalName(name: string): string {
  const row = knownName(name)
  if (row) return row.name
  if (/^x-/i.test(name)) return name
  return name.toLowerCase().replace(/(^|-)([a-z])/g, (_, dash: string, c: string) => {
    return dash + c.toUpperCase()
  })
}

/** Whether the grammar lets several values of this header share a line, separated by commas. */
export function isListHeader(key: string): boolean {
  return lists.has(key)
}
