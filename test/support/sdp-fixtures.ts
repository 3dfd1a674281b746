import { readFileSync } from 'node:fs'

/** An SDP sample of test/fixtures/sdp by name, CRLF as on the wire. */
export function sdpFixture(name: string): string {
  return readFileSync(new URL(`../fixtures/sdp/${name}.sdp`, import.meta.url), 'utf8')
}

/** A sample with replacements, in order; one that does not apply is a mistake of the test. */
export function editedSdp(name: string, ...edits: [from: string | RegExp, to: string][]): string {
  let text = sdpFixture(name)
  for (const [from, to] of edits) {
    const out = text.replace(from, to)
    if (out === text) throw new Error(`${name} does not contain ${from}`)
    text = out
  }
  return text
}

/** Lines of an SDP text. */
export function sdpLines(sdp: string): string[] {
  return sdp.split('\r\n').filter((line) => line !== '')
}

/** Version of the o= line. */
export function sdpVersion(sdp: string): number {
  return Number(/^o=\S+ \S+ (\d+) /m.exec(sdp)?.[1])
}
