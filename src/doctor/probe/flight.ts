/** What a TLS 1.2 server says before it encrypts (RFC 5246 §7.4). */
export interface ServerFlight {
  /** Certificates as sent, DER, the server's own first. */
  certificates: Buffer[]
  /** Whether it asks the client for a certificate. */
  requestsCertificate: boolean
}

const HANDSHAKE = 22
const CERTIFICATE = 11
const CERTIFICATE_REQUEST = 13

/**
 * Reads the first flight of a TLS 1.2 server: in TLS 1.2 the certificate chain and the request for
 * the client's are in the clear, and Node tells neither of them as they were sent.
 */
export function readFlight(bytes: Buffer): ServerFlight {
  const flight: ServerFlight = { certificates: [], requestsCertificate: false }
  const messages = handshakeBytes(bytes)
  for (let at = 0; at + 4 <= messages.length; ) {
    const type = messages[at]!
    const body = messages.subarray(at + 4, at + 4 + messages.readUIntBE(at + 1, 3))
    if (type === CERTIFICATE) flight.certificates = certificatesOf(body)
    if (type === CERTIFICATE_REQUEST) flight.requestsCertificate = true
    at += 4 + messages.readUIntBE(at + 1, 3)
  }
  return flight
}

/** The handshake messages of the records up to the first that is something else. */
function handshakeBytes(bytes: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at + 5 <= bytes.length && bytes[at] === HANDSHAKE; ) {
    const length = bytes.readUInt16BE(at + 3)
    parts.push(bytes.subarray(at + 5, at + 5 + length))
    at += 5 + length
  }
  return Buffer.concat(parts)
}

function certificatesOf(body: Buffer): Buffer[] {
  const list: Buffer[] = []
  for (let at = 3; at + 3 <= body.length; ) {
    const length = body.readUIntBE(at, 3)
    list.push(body.subarray(at + 3, at + 3 + length))
    at += 3 + length
  }
  return list
}
