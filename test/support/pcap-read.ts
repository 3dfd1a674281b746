/** One packet of a capture file, its checksums looked at. */
export interface PcapPacket {
  /** Seconds since the Unix epoch. */
  time: number
  source: string
  destination: string
  text: string
  /** Whether every length and checksum is right. */
  sound: boolean
}

/** Reads a classic pcap file of raw IP packets with UDP in them. @throws Error for anything else */
export function readPcap(file: Buffer): PcapPacket[] {
  if (file.readUInt32LE(0) !== 0xa1b2c3d4) throw new Error('no pcap')
  if (file.readUInt32LE(20) !== 101) throw new Error('the link type is not RAW')
  const packets: PcapPacket[] = []
  for (let at = 24; at < file.length; ) {
    const length = file.readUInt32LE(at + 8)
    if (file.readUInt32LE(at + 12) !== length) throw new Error('a packet was cut')
    const time = file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e6
    packets.push({ time, ...packet(file.subarray(at + 16, at + 16 + length)) })
    at += 16 + length
  }
  return packets
}

function packet(ip: Buffer): Omit<PcapPacket, 'time'> {
  const v4 = ip[0]! >> 4 === 4
  const start = v4 ? 20 : 40
  const [from, to] = v4
    ? [ip.subarray(12, 16), ip.subarray(16, 20)]
    : [ip.subarray(8, 24), ip.subarray(24, 40)]
  const udp = ip.subarray(start)
  const pseudo = Buffer.alloc(4)
  pseudo[1] = 17
  pseudo.writeUInt16BE(udp.length, 2)
  const lengths = v4 ? ip.readUInt16BE(2) === ip.length : ip.readUInt16BE(4) === udp.length
  const protocol = v4 ? ip[9] : ip[6]
  return {
    source: name(from, udp.readUInt16BE(0)),
    destination: name(to, udp.readUInt16BE(2)),
    text: udp.toString('utf8', 8),
    sound:
      lengths &&
      protocol === 17 &&
      udp.readUInt16BE(4) === udp.length &&
      (!v4 || fold(ip.subarray(0, 20)) === 0xffff) &&
      fold(Buffer.concat([from, to, pseudo, udp])) === 0xffff,
  }
}

/** The one's complement sum of 16-bit words: 0xffff over data with a right checksum. */
function fold(bytes: Buffer): number {
  let sum = 0
  for (let i = 0; i < bytes.length; i += 2) {
    sum += bytes[i]! * 256 + (bytes[i + 1] ?? 0)
    if (sum > 0xffff) sum -= 0xffff
  }
  return sum
}

function name(address: Buffer, port: number): string {
  const text =
    address.length === 4
      ? address.join('.')
      : address.toString('hex').replace(/(.{4})(?!$)/g, '$1:')
  return `${text} ${port}`
}
