import { readFileSync } from 'node:fs'
import t from 'tap'
import { parse } from 'yaml'
import type { CallMediaReport, LegReport, StreamReport } from '../../src/media/index.ts'
import { catalogue, type ErrorDefinition } from '../../src/shared/errors/index.ts'

const guide = readFileSync('docs/guides/media.md', 'utf8')
const http = readFileSync('docs/reference/http.md', 'utf8')

/** Codes of the media that end no call: what is found to be wrong while it runs. */
const verdicts = Object.entries<ErrorDefinition>(catalogue)
  .filter(([code, row]) => code.startsWith('MEDIA_') && row.sip === undefined)
  .map(([code]) => code)
  .filter((code) => code !== 'MEDIA_FILE_INVALID')

t.test('the guide has a row for each verdict, and no other', async (t) => {
  const rows = [...guide.matchAll(/^\| `(MEDIA_[A-Z_]+)` \| .+ \| .+ \| .+ \|$/gm)]
  t.same(rows.map(([, code]) => code).sort(), verdicts.sort())
})

t.test('every code that the guide names exists', async (t) => {
  for (const [, code] of guide.matchAll(/`((?:MEDIA|CONFIG|CALL)_[A-Z_]+)`/g)) {
    t.ok(code! in catalogue, code!)
  }
})

/** Names of every field; the compiler says when one is missing here. */
const report: Record<keyof CallMediaReport, true> = {
  at: true,
  legs: true,
  transcoding: true,
  verdicts: true,
  verdict: true,
  dtmf: true,
}
const leg: Record<keyof LegReport, true> = {
  codec: true,
  payloadType: true,
  ptimeReceived: true,
  srtp: true,
  local: true,
  remote: true,
  ice: true,
  dtls: true,
  received: true,
  sent: true,
  rttMs: true,
  discarded: true,
  silenceInserted: true,
  held: true,
}
const stream: Record<keyof StreamReport, true> = {
  packets: true,
  octets: true,
  lost: true,
  lossRate: true,
  burstRate: true,
  jitterMs: true,
  reordered: true,
  duplicates: true,
  firstPacketAfterMs: true,
  longestGapMs: true,
  mos: true,
}

t.test('the page of the HTTP interface names every field of the figures', async (t) => {
  const [, section = ''] = /\n## Media of a call\n([\s\S]*?)\n## /.exec(http) ?? []
  const named = [...section.matchAll(/^\| (`.+?) \| .*\|$/gm)].map(([, names]) => names!)
  for (const field of Object.keys({ ...report, ...leg, ...stream })) {
    t.ok(
      named.some((names) => new RegExp(`\`${field}[\`.]`).test(names)),
      field,
    )
  }
})

t.test('Asterisk on the host of the compose file keeps off the ports of the media', async (t) => {
  const rtp = readFileSync('docker/asterisk/rtp.conf', 'utf8')
  const [start, end] = ['rtpstart', 'rtpend'].map((key) =>
    Number(new RegExp(`^${key} = (\\d+)$`, 'm').exec(rtp)?.[1]),
  )
  const { media } = parse(readFileSync('docker/causeway.yaml', 'utf8'))
  const [first, last] = String(media.ports).split('-').map(Number)
  t.ok(end! < first! || start! > last!, `${start}-${end} beside ${first}-${last}`)
})
