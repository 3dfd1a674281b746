import { setImmediate } from 'node:timers/promises'
import { opusTicks } from '../codec/toc.ts'
import { invalid } from './invalid.ts'
import { type OggPage, oggPages } from './ogg.ts'

/** An Ogg Opus file (RFC 7845); times in samples of 48000 Hz. */
export interface OggOpus {
  packets: Buffer[]
  /** Ticks of each packet. */
  ticks: number[]
  /** Samples at the beginning that are only there to warm the decoder up. */
  preSkip: number
  /** Samples to be heard after them. */
  length: number
  /** Factor for the decoder's output; 1 in nearly all files. */
  gain: number
}

/** What other Ogg streams begin with. */
const OTHERS: [string, string][] = [
  ['\x01vorbis', 'Vorbis'],
  ['\x7fFLAC', 'FLAC'],
  ['Speex', 'Speex'],
  ['\x80theora', 'Theora'],
]

/**
 * Reads the first Opus stream of an Ogg file, a few pages a turn of the event loop.
 *
 * @throws CausewayError `MEDIA_FILE_INVALID`
 */
export async function readOggOpus(file: Buffer): Promise<OggOpus> {
  const reader = new StreamReader()
  let pages = 0
  for (const page of oggPages(file)) {
    if (++pages % 4 === 0) await setImmediate()
    if (!reader.take(page)) break
  }
  return reader.finish()
}

class StreamReader {
  readonly #packets: Buffer[] = []
  readonly #ticks: number[] = []
  readonly #strangers: string[] = []
  #serial: number | undefined
  #sequence = 0
  /** Beginning of a packet that goes on in the next page. */
  #begun: Buffer[] = []
  #headers = 0
  #preSkip = 0
  #gain = 1
  #total = 0
  /** Granule position before the first packet; not zero in a recording of a live stream. */
  #origin: number | undefined
  #last: number | undefined

  /** Takes the next page; false when the stream is over. */
  take(page: OggPage): boolean {
    if (this.#serial === undefined) return this.#begin(page)
    if (page.serial !== this.#serial) return !page.first || this.#total === 0
    if (page.sequence !== ++this.#sequence) throw invalid(`Ogg without page ${this.#sequence}`)
    if (page.continued !== this.#begun.length > 0) {
      throw invalid(`Ogg with a torn packet in page ${page.sequence}`)
    }
    const before = this.#total
    for (const [index, part] of page.parts.entries()) {
      const whole = page.complete || index < page.parts.length - 1
      this.#begun.push(part)
      if (whole) this.#packet(this.#begun.length === 1 ? part : Buffer.concat(this.#begun))
      if (whole) this.#begun = []
    }
    if (page.granule !== undefined && this.#total > before) {
      this.#origin ??= Math.max(page.granule - this.#total, 0)
      this.#last = page.granule
    }
    return true
  }

  finish(): OggOpus {
    if (this.#serial === undefined) {
      throw invalid(`Ogg without Opus${this.#strangers.length ? `: ${this.#strangers}` : ''}`)
    }
    if (this.#begun.length > 0) throw invalid('Ogg that ends within a packet')
    if (this.#headers < 2) throw invalid('Ogg Opus without its second header')
    // The last page may take samples away at the end (RFC 7845 §4.4).
    const end = Math.min(this.#total, (this.#last ?? this.#total) - (this.#origin ?? 0))
    return {
      packets: this.#packets,
      ticks: this.#ticks,
      preSkip: this.#preSkip,
      length: Math.max(end - this.#preSkip, 0),
      gain: this.#gain,
    }
  }

  #begin(page: OggPage): boolean {
    const head = page.parts[0]
    if (!page.first || !head) return true
    const start = head.toString('latin1', 0, 8)
    if (start !== 'OpusHead') {
      this.#strangers.push(OTHERS.find(([magic]) => start.startsWith(magic))?.[1] ?? 'unknown')
      return true
    }
    this.#serial = page.serial
    this.#sequence = page.sequence
    this.#head(head)
    return true
  }

  /** The identification header (RFC 7845 §5.1). */
  #head(head: Buffer): void {
    if (head.length < 19 || head[8]! >> 4 !== 0) throw invalid('Ogg Opus of an unknown version')
    const channels = head[9]!
    if (head[18] !== 0 || channels < 1 || channels > 2) {
      throw invalid(`Ogg Opus with ${channels} channels, mapping family ${head[18]}`)
    }
    this.#preSkip = head.readUInt16LE(10)
    this.#gain = 10 ** (head.readInt16LE(16) / 256 / 20)
    this.#headers = 1
  }

  #packet(packet: Buffer): void {
    if (this.#headers === 1) {
      if (packet.toString('latin1', 0, 8) !== 'OpusTags') {
        throw invalid('Ogg Opus without its second header')
      }
      this.#headers = 2
      return
    }
    const ticks = opusTicks(packet, 0, packet.length)
    if (ticks === 0) throw invalid(`Ogg with a broken Opus packet, number ${this.#packets.length}`)
    this.#packets.push(packet)
    this.#ticks.push(ticks)
    this.#total += ticks
  }
}
