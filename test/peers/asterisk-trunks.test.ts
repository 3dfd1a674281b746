import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { CallRecord } from '../../src/simulator/index.ts'
import {
  answered,
  channelOf,
  hangUp,
  hears,
  nothingLeft,
  originate,
  place,
  promised,
  recordOf,
} from './support/asterisk-calls.ts'
import { type LabNumber, startAsteriskLab, TONE, type TrunkName } from './support/asterisk-lab.ts'
import { toneSpan } from './support/wav.ts'

/** Milliseconds the tone of each side is recorded by the other. */
const TALK = 1500

const trunks: TrunkName[] = [
  'plain-opus',
  'plain-pcma',
  'sdes-opus',
  'sdes-pcma',
  'webrtc-opus',
  'webrtc-pcma',
]
const numbers: LabNumber[] = [
  ...trunks.map((trunk) => ({ trunk, srtp: 'SDES' as const })),
  ...trunks.map((trunk) => ({ trunk, srtp: 'DTLS' as const })),
  { trunk: 'plain-pcma', codecs: ['PCMA'] },
  { trunk: 'webrtc-pcma', srtp: 'DTLS', codecs: ['PCMA'] },
]
t.setTimeout(60_000)
const lab = await startAsteriskLab(t, numbers)
const { asterisk } = lab

for (const [index, number] of numbers.entries()) {
  const { trunk, srtp, codecs } = number
  const g711 = codecs ? ', which has PCMA' : ''
  t.test(`WhatsApp with ${srtp ?? 'SDES'}${g711}, Asterisk by ${trunk}`, async (t) => {
    const incoming = place(lab, index, '610')
    const outgoing = originate(lab, { trunk, number: index, service: '610' })
    await Promise.all([
      talks(t, number, incoming, channelOf(lab, incoming)),
      outgoing.then(({ call, channel }) => talks(t, number, call, Promise.resolve(channel))),
    ])
    await nothingLeft(t, lab)
  })
}

/** Both sides hear each other's tone without a break; nobody has anything to complain of. */
async function talks(
  t: Test,
  { trunk, srtp, codecs }: LabNumber,
  call: CallRecord,
  channel: Promise<string>,
): Promise<void> {
  await answered(t, call)
  await hears(t, call, TONE.service, TALK)
  hangUp(lab, call)
  await call.until(() => false)
  const { media } = promised(t, call)
  const codec = trunk.endsWith('opus') ? 'opus' : 'PCMA'
  t.equal(media?.codec, codecs ? 'PCMA' : 'opus', "WhatsApp's codec")
  const record = await recordOf(lab, call)
  t.equal(record.media?.codec.pbx, codec, "Asterisk's codec")
  t.equal(record.report?.transcoding, codec !== media?.codec, 'converted between codecs')
  t.match(record.report, {
    verdict: 'good',
    verdicts: [],
    legs: {
      whatsapp: { srtp: { mode: (srtp ?? 'SDES').toLowerCase() } },
      pbx: { srtp: { mode: keying(trunk) } },
    },
  })
  const id = await channel
  // Which is after the end of the recording.
  await lab.ari.event('the channel ends', (event) => {
    return event.type === 'ChannelDestroyed' && event.channel?.id === id
  })
  const file = join(asterisk.spool, `heard-${id}.wav`)
  const { heard, span } = toneSpan(file, TONE.consumer)
  const said = media!.sent.packets * 20
  // Until Asterisk has its keys it hears nothing.
  const handshake = keying(trunk) === 'dtls' ? 400 : 0
  t.ok(
    Math.abs(said - heard) <= 100 + handshake,
    `the consumer spoke ${said} ms, Asterisk recorded ${heard}`,
  )
  t.equal(span, heard, 'without a break')
}

function keying(trunk: TrunkName): string {
  if (trunk.startsWith('webrtc')) return 'dtls'
  return trunk.startsWith('sdes') ? 'sdes' : 'none'
}
