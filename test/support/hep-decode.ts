/** One HEP version 3 packet, read chunk by chunk: vendor, type, length, value. */
export interface HepPacket {
  family: number
  protocol: number
  source: string
  destination: string
  sourcePort: number
  destinationPort: number
  /** Seconds since the Unix epoch. */
  time: number
  kind: number
  agent: number
  key: string | undefined
  correlation: string | undefined
  payload: string
  /** Types in their order. */
  chunks: number[]
}

/** @throws Error for what is no HEP3 packet, or has lengths that do not add up */
export function decodeHep(bytes: Buffer): HepPacket {
  if (bytes.toString('latin1', 0, 4) !== 'HEP3') throw new Error('no HEP3')
  if (bytes.readUInt16BE(4) !== bytes.length)
    throw new Error('the length is not that of the packet')
  const values = new Map<number, Buffer>()
  let at = 6
  while (at < bytes.length) {
    if (bytes.readUInt16BE(at) !== 0) throw new Error('a vendor of its own')
    const length = bytes.readUInt16BE(at + 4)
    if (length < 6 || at + length > bytes.length) throw new Error('a chunk reaches beyond the end')
    values.set(bytes.readUInt16BE(at + 2), bytes.subarray(at + 6, at + length))
    at += length
  }
  const number = (type: number): number => {
    const value = values.get(type)
    if (!value) throw new Error(`chunk ${type} is missing`)
    return value.readUIntBE(0, value.length)
  }
  const address = (v4: number, v6: number): string => {
    const value = values.get(v4) ?? values.get(v6)
    if (!value) throw new Error('an address is missing')
    return value.length === 4
      ? value.join('.')
      : value.toString('hex').replace(/(.{4})(?!$)/g, '$1:')
  }
  return {
    family: number(1),
    protocol: number(2),
    source: address(3, 5),
    destination: address(4, 6),
    sourcePort: number(7),
    destinationPort: number(8),
    time: number(9) + number(10) / 1e6,
    kind: number(11),
    agent: number(12),
    key: values.get(14)?.toString(),
    correlation: values.get(17)?.toString(),
    payload: values.get(15)?.toString() ?? '',
    chunks: [...values.keys()],
  }
}
