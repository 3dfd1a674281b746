/** A WAV file; `data` is what its samples are. */
export interface WavShape {
  tag?: number
  channels?: number
  rate?: number
  bits?: number
  data: Uint8Array
  /** Size the data chunk claims to have; its true one when left out. */
  claims?: number
  /** Chunks between `fmt ` and `data`. */
  between?: Buffer[]
}

/** One chunk of a RIFF file, padded to an even length. */
export function chunk(id: string, body: Uint8Array, claims = body.length): Buffer {
  const head = Buffer.alloc(8)
  head.write(id, 'latin1')
  head.writeUInt32LE(claims, 4)
  return Buffer.concat([head, body, Buffer.alloc(body.length % 2)])
}

/** The octets of a WAV file; 16 bit PCM, mono, 8000 Hz unless said otherwise. */
export function wavFile(shape: WavShape): Buffer {
  const { tag = 1, channels = 1, rate = 8000, bits = 16, data } = shape
  const block = channels * (bits / 8)
  const format = Buffer.alloc(tag === 0xfffe ? 40 : 16)
  format.writeUInt16LE(tag, 0)
  format.writeUInt16LE(channels, 2)
  format.writeUInt32LE(rate, 4)
  format.writeUInt32LE(rate * block, 8)
  format.writeUInt16LE(block, 12)
  format.writeUInt16LE(bits, 14)
  if (tag === 0xfffe) format.writeUInt16LE(1, 24)
  const chunks = [
    chunk('fmt ', format),
    ...(shape.between ?? []),
    chunk('data', data, shape.claims),
  ]
  return Buffer.concat([riffHead(chunks), ...chunks])
}

/** The first twelve octets of a WAV file of these chunks. */
export function riffHead(chunks: Buffer[]): Buffer {
  const head = Buffer.from('RIFF....WAVE', 'latin1')
  head.writeUInt32LE(4 + chunks.reduce((sum, each) => sum + each.length, 0), 4)
  return head
}

/** Samples as a WAV file holds them. */
export function octetsOf(pcm: Int16Array): Uint8Array {
  return new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength)
}

/** A page as it is to be written. */
export interface PageShape {
  packets: Uint8Array[]
  granule: bigint
  sequence: number
  serial?: number
  /** 1 continued, 2 first, 4 last. */
  flags?: number
  /** Leaves the last packet open: it goes on in the next page. */
  open?: boolean
}

/** One Ogg page (RFC 3533 §6). An open last packet must be a multiple of 255 octets. */
export function oggPage(shape: PageShape): Buffer {
  const lacing = shape.packets.flatMap((packet, index) => {
    const full = new Array<number>(Math.floor(packet.length / 255)).fill(255)
    const open = shape.open && index === shape.packets.length - 1
    return open ? full : [...full, packet.length % 255]
  })
  const head = Buffer.alloc(27)
  head.write('OggS', 'latin1')
  head[5] = shape.flags ?? 0
  head.writeBigUInt64LE(BigInt.asUintN(64, shape.granule), 6)
  head.writeUInt32LE(shape.serial ?? 7, 14)
  head.writeUInt32LE(shape.sequence, 18)
  head[26] = lacing.length
  const page = Buffer.concat([head, Buffer.from(lacing), ...shape.packets])
  page.writeUInt32LE(crc(page), 22)
  return page
}

function crc(page: Buffer): number {
  let value = 0
  for (const octet of page) {
    for (let bit = 7; bit >= 0; bit--) {
      const top = (value >>> 31) ^ ((octet >> bit) & 1)
      value = (value << 1) ^ (top ? 0x04c11db7 : 0)
    }
  }
  return value >>> 0
}

/** An Ogg Opus file (RFC 7845). */
export interface OggShape {
  packets: Uint8Array[]
  /** 48000 Hz ticks of each packet. */
  ticks?: number
  preSkip?: number
  /** Samples to be heard; all of them when left out. */
  length?: number
  /** 1/256 dB. */
  gain?: number
  channels?: number
  family?: number
  /** Position before the first packet. */
  origin?: number
  serial?: number
}

/** The identification header. */
export function opusHead(shape: Omit<OggShape, 'packets'>): Buffer {
  const head = Buffer.alloc(19)
  head.write('OpusHead', 'latin1')
  head[8] = 1
  head[9] = shape.channels ?? 1
  head.writeUInt16LE(shape.preSkip ?? 312, 10)
  head.writeUInt32LE(48000, 12)
  head.writeInt16LE(shape.gain ?? 0, 16)
  head[18] = shape.family ?? 0
  return head
}

/** The comment header. */
export const opusTags = Buffer.from('OpusTags\x04\0\0\0test\0\0\0\0', 'latin1')

/** The pages of a file, ten packets in each. */
export function oggOpusPages(shape: OggShape): Buffer[] {
  const { packets, ticks = 960, preSkip = 312, origin = 0 } = shape
  const serial = shape.serial === undefined ? {} : { serial: shape.serial }
  const pages = [
    oggPage({ ...serial, packets: [opusHead(shape)], granule: 0n, sequence: 0, flags: 2 }),
    oggPage({ ...serial, packets: [opusTags], granule: 0n, sequence: 1 }),
  ]
  const end = shape.length === undefined ? packets.length * ticks : preSkip + shape.length
  for (let at = 0; at < packets.length; at += 10) {
    const part = packets.slice(at, at + 10)
    const last = at + 10 >= packets.length
    pages.push(
      oggPage({
        ...serial,
        packets: part,
        granule: BigInt(origin + (last ? end : (at + part.length) * ticks)),
        sequence: pages.length,
        flags: last ? 4 : 0,
      }),
    )
  }
  return pages
}

/** The octets of an Ogg Opus file. */
export function oggOpusFile(shape: OggShape): Buffer {
  return Buffer.concat(oggOpusPages(shape))
}
