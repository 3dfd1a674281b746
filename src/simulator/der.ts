/** The little of ASN.1 DER (X.690) that issuing a certificate needs: encoding, no parsing. */

function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([tag]), length(content.length), content])
}

function length(n: number): Buffer {
  if (n < 0x80) return Buffer.from([n])
  const bytes: number[] = []
  for (let rest = n; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = [first * 40 + second]
  for (const arc of rest) {
    const group = [arc & 0x7f]
    for (let high = arc >>> 7; high > 0; high >>>= 7) group.unshift(0x80 | (high & 0x7f))
    bytes.push(...group)
  }
  return element(0x06, Buffer.from(bytes))
}

/** `YYYYMMDDHHMMSSZ`: GeneralizedTime; RFC 5280 §4.1.2.5 wants UTCTime up to 2049. */
function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
  return new Date(ms).getUTCFullYear() < 2050
    ? element(0x17, Buffer.from(digits.slice(2)))
    : element(0x18, Buffer.from(digits))
}

/** DER encoders by ASN.1 type. Every function returns the complete element, tag included. */
export const der = {
  sequence: (...items: Buffer[]) => element(0x30, Buffer.concat(items)),
  set: (...items: Buffer[]) => element(0x31, Buffer.concat(items)),
  /** An unsigned integer, big endian; a leading zero is added when the top bit is set. */
  integer: (bytes: Buffer) =>
    element(0x02, bytes[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes),
  boolean: (value: boolean) => element(0x01, Buffer.from([value ? 0xff : 0])),
  bitString: (bytes: Buffer, unusedBits = 0) =>
    element(0x03, Buffer.concat([Buffer.from([unusedBits]), bytes])),
  octetString: (bytes: Buffer) => element(0x04, bytes),
  utf8: (text: string) => element(0x0c, Buffer.from(text)),
  oid: identifier,
  time,
  /** Context-specific constructed: `[n] EXPLICIT`. */
  explicit: (n: number, content: Buffer) => element(0xa0 | n, content),
  /** Context-specific primitive: `[n] IMPLICIT` of a string type. */
  implicit: (n: number, content: Buffer) => element(0x80 | n, content),
}
