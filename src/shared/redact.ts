const RULES: readonly [RegExp, string][] = [
  // SDP keys: RFC 4568 inline keys, ICE passwords (RFC 8839).
  [/(inline:)[A-Za-z0-9+/=|:]+/g, '$1[redacted]'],
  [/(a=ice-pwd:)\S+/g, '$1[redacted]'],
  // RFC 3261 §22 credentials and HTTP tokens.
  [/^((?:Proxy-)?Authorization\s*:).*$/gim, '$1 [redacted]'],
  [/(Bearer\s+)[\w.~+/=-]+/gi, '$1[redacted]'],
  [/(response=)"[0-9a-f]+"/gi, '$1"[redacted]"'],
  [/(access_token=)[^&\s"]+/gi, '$1[redacted]'],
  [/("(?:sip_user_password|password|access_token)"\s*:\s*)"[^"]*"/gi, '$1"[redacted]"'],
]

/** Removes keys, credentials and tokens from SIP, SDP, HTTP or JSON text. */
export function redactText(text: string): string {
  let out = text
  for (const [pattern, replacement] of RULES) out = out.replace(pattern, replacement)
  return out
}
