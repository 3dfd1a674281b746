import { readFileSync } from 'node:fs'

/** An SDP sample of test/fixtures/sdp by name, CRLF as on the wire. */
export function sdpFixture(name: string): string {
  return readFileSync(new URL(`../fixtures/sdp/${name}.sdp`, import.meta.url), 'utf8')
}
