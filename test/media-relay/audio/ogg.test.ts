import t from 'tap'
import { readOggOpus } from '../../../src/media-relay/audio/ogg-opus.ts'
import {
  oggOpusFile,
  oggOpusPages,
  oggPage,
  opusHead,
  opusTags,
} from '../../support/audio-files.ts'

/** Packets of 20 ms that say which they are. */
const packets = Array.from({ length: 25 }, (_, i) => Uint8Array.of(0xf8, 0xff, i))

t.test('packets, pre-skip, length and gain', async (t) => {
  const file = await readOggOpus(
    oggOpusFile({ packets, preSkip: 1000, length: 20000, gain: -1536 }),
  )
  t.same(
    file.packets.map((packet) => packet[2]),
    packets.map((packet) => packet[2]),
  )
  t.ok(file.ticks.every((ticks) => ticks === 960))
  t.equal(file.preSkip, 1000)
  t.equal(file.length, 20000)
  t.equal(file.gain.toFixed(4), '0.5012', '-6 dB')
  t.equal((await readOggOpus(oggOpusFile({ packets }))).length, 25 * 960 - 312)
})

t.test('a recording that began in the middle of a stream', async (t) => {
  const file = await readOggOpus(oggOpusFile({ packets, origin: 480000 }))
  t.equal(file.length, 25 * 960 - 312)
})

t.test('a packet that goes on over three pages', async (t) => {
  const large = new Uint8Array(255 * 4 + 10).fill(3)
  large[0] = 0xf8
  const cut = [large.subarray(0, 510), large.subarray(510, 1020), large.subarray(1020)]
  const file = Buffer.concat([
    ...oggOpusPages({ packets: [] }),
    oggPage({ packets: [packets[0]!, cut[0]!], granule: 960n, sequence: 2, open: true }),
    oggPage({ packets: [cut[1]!], granule: -1n, sequence: 3, flags: 1, open: true }),
    oggPage({ packets: [cut[2]!, packets[1]!], granule: 2880n, sequence: 4, flags: 5 }),
  ])
  const read = await readOggOpus(file)
  t.same(
    read.packets.map((packet) => packet.length),
    [3, 1030, 3],
  )
  t.same(Buffer.from(read.packets[1]!), Buffer.from(large))
  t.equal(read.length, 2880 - 312)
})

t.test('other streams between and behind', async (t) => {
  const pages = oggOpusPages({ packets })
  const stranger = (sequence: number, flags: number) =>
    oggPage({ packets: [Buffer.from('fishead')], granule: 0n, sequence, flags, serial: 99 })
  const file = Buffer.concat([
    stranger(0, 2),
    pages[0]!,
    pages[1]!,
    stranger(1, 0),
    ...pages.slice(2),
    oggOpusFile({ packets: packets.slice(0, 3), serial: 8 }),
  ])
  t.equal((await readOggOpus(file)).packets.length, 25)
})

t.test('what cannot be played is named', async (t) => {
  const whole = oggOpusPages({ packets })
  const flipped = Buffer.concat(whole)
  flipped[flipped.length - 1]! ^= 1
  const first = (packet: Uint8Array): Buffer =>
    oggPage({ packets: [packet], granule: 0n, sequence: 0, flags: 2 })
  const last = whole.at(-1)!
  const start = Buffer.concat(whole).length - last.length
  const cases: [Buffer, string][] = [
    [first(Buffer.from('\x01vorbis....', 'latin1')), 'Ogg without Opus: Vorbis'],
    [first(Buffer.from('something')), 'Ogg without Opus: unknown'],
    [oggPage({ packets: [], granule: 0n, sequence: 0 }), 'Ogg without Opus'],
    [flipped, `Ogg with a damaged page at octet ${start}`],
    [Buffer.concat(whole).subarray(0, -1), `Ogg cut off in the page at ${start}`],
    [
      Buffer.concat([...whole, Buffer.alloc(40)]),
      `Ogg without a page at octet ${start + last.length}`,
    ],
    [Buffer.concat([whole[0]!, whole[1]!, whole[3]!]), 'Ogg without page 2'],
    [first(opusHead({ channels: 6, family: 1 })), 'Ogg Opus with 6 channels, mapping family 1'],
    [first(opusHead({ channels: 0 })), 'Ogg Opus with 0 channels, mapping family 0'],
    [first(opusHead({}).subarray(0, 18)), 'Ogg Opus of an unknown version'],
    [first(opusHead({})), 'Ogg Opus without its second header'],
    [
      Buffer.concat([
        first(opusHead({})),
        oggPage({ packets: [packets[0]!], granule: 960n, sequence: 1 }),
      ]),
      'Ogg Opus without its second header',
    ],
    [
      oggOpusFile({ packets: [packets[0]!, Uint8Array.of(0xfb)] }),
      'Ogg with a broken Opus packet, number 1',
    ],
    [
      Buffer.concat([
        whole[0]!,
        oggPage({ packets: [opusTags], granule: 0n, sequence: 1, flags: 1 }),
      ]),
      'Ogg with a torn packet in page 1',
    ],
    [
      Buffer.concat([
        ...oggOpusPages({ packets: [] }),
        oggPage({ packets: [new Uint8Array(255)], granule: -1n, sequence: 2, open: true }),
      ]),
      'Ogg that ends within a packet',
    ],
  ]
  for (const [file, detail] of cases) {
    await t.rejects(readOggOpus(file), { code: 'MEDIA_FILE_INVALID', detail }, detail)
  }
})

t.test('no changed octet goes unnoticed, and none breaks the reader', async (t) => {
  const whole = oggOpusFile({ packets: packets.slice(0, 12) })
  let read = 0
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole)
    changed[at]! ^= 0x41
    try {
      await readOggOpus(changed)
      read++
    } catch (error) {
      if ((error as { code?: string }).code !== 'MEDIA_FILE_INVALID') throw error
    }
  }
  t.equal(read, 0)
})
