/** `Q.850;cause=21;text="…"` (RFC 3326). */
export function q850Reason(cause: number, text: string): string {
  return `Q.850;cause=${cause};text="${plain(text)}"`
}

/** `399 host "CODE: what was found"` (RFC 3261 §20.43); `agent` is who says so: a host or a pseudonym. */
export function warning399(agent: string, code: string, said: string): string {
  return `399 ${agent} "${code}: ${plain(said)}"`
}

/** Text safe inside a quoted-string (RFC 3261 §25.1), and not long. */
function plain(text: string): string {
  return text
    .slice(0, 256)
    .replace(/[\x00-\x1f\x7f]/g, ' ')
    .replace(/["\\]/g, "'")
}
