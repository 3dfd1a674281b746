import { invalid } from './invalid.ts'

/** One page of an Ogg stream (RFC 3533 §6). */
export interface OggPage {
  /** Set on the first page of a logical stream. */
  first: boolean
  /** Whether its first packet is the rest of the page before. */
  continued: boolean
  serial: number
  sequence: number
  /** Position after the last packet that ends here; undefined when none ends. */
  granule: number | undefined
  /** Packets and parts of packets, in order. */
  parts: Buffer[]
  /** Whether the last part is a whole packet's end. */
  complete: boolean
}

const HEADER = 27
const CRC_AT = 22
const NO_GRANULE = 2n ** 64n - 1n

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24
  for (let bit = 0; bit < 8; bit++)
    value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1
  return value
})

/** Checksum of a page, its own checksum field counted as zero. */
function oggChecksum(file: Uint8Array, start: number, end: number): number {
  let crc = 0
  for (let at = start; at < end; at++) {
    const field = at - start - CRC_AT
    const octet = field >= 0 && field < 4 ? 0 : file[at]!
    crc = (crc << 8) ^ CRC_TABLE[((crc >>> 24) ^ octet) & 0xff]!
  }
  return crc >>> 0
}

/** Whether a file begins as an Ogg file does. */
export function isOgg(file: Buffer): boolean {
  return file.toString('latin1', 0, 4) === 'OggS'
}

/**
 * Reads the pages of an Ogg file one by one.
 *
 * @throws CausewayError `MEDIA_FILE_INVALID` at the first page that is not whole
 */
export function* oggPages(file: Buffer): Generator<OggPage> {
  for (let at = 0; at < file.length; ) {
    const segments = at + HEADER <= file.length ? file[at + 26]! : 0
    const body = at + HEADER + segments
    if (file.toString('latin1', at, at + 4) !== 'OggS' || file[at + 4] !== 0) {
      throw invalid(`Ogg without a page at octet ${at}`)
    }
    const lacing = file.subarray(at + HEADER, body)
    const end = lacing.reduce((sum, value) => sum + value, body)
    if (body > file.length || end > file.length) throw invalid(`Ogg cut off in the page at ${at}`)
    if (oggChecksum(file, at, end) !== file.readUInt32LE(at + CRC_AT)) {
      throw invalid(`Ogg with a damaged page at octet ${at}`)
    }
    yield readPage(file, at, lacing, body)
    at = end
  }
}

function readPage(file: Buffer, at: number, lacing: Uint8Array, body: number): OggPage {
  const parts: Buffer[] = []
  let start = body
  let end = body
  for (const value of lacing) {
    end += value
    if (value === 255) continue
    parts.push(file.subarray(start, end))
    start = end
  }
  // A packet whose last lacing value is 255 goes on in the next page.
  const complete = lacing.at(-1) !== 255
  if (!complete) parts.push(file.subarray(start, end))
  const granule = file.readBigUInt64LE(at + 6)
  return {
    first: (file[at + 5]! & 2) !== 0,
    continued: (file[at + 5]! & 1) !== 0,
    serial: file.readUInt32LE(at + 14),
    sequence: file.readUInt32LE(at + 18),
    granule: granule === NO_GRANULE ? undefined : Number(granule),
    parts,
    complete,
  }
}
