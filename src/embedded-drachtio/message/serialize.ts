import type { SipMessage } from './types.ts'

/**
 * The message as it goes on the wire: headers in their order, one a line, UTF-8; Content-Length
 * counted anew in bytes and placed last. Values must be free of line breaks, which parsing and
 * `assertHeaderSafe` see to.
 */
export function serializeMessage(message: SipMessage): Buffer {
  return encode(message, Buffer.allocUnsafe)
}

/**
 * {@link serializeMessage} for bytes that are kept: in memory of their own. A slice of Node's pool
 * would keep the 64 KiB around it alive for as long as a transaction waits for repetitions.
 */
export function serializeToKeep(message: SipMessage): Buffer {
  return encode(message, Buffer.allocUnsafeSlow)
}

function encode(message: SipMessage, allocate: (size: number) => Buffer): Buffer {
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason}\r\n`
  for (const { key, name, value } of message.headers) {
    if (key !== 'content-length') head += `${name}: ${value}\r\n`
  }
  const body = message.body
  const bodyLength = body === undefined ? 0 : body.length
  head += `Content-Length: ${bodyLength}\r\n\r\n`

  const headLength = Buffer.byteLength(head)
  const bytes = allocate(headLength + bodyLength)
  bytes.write(head, 0, headLength === head.length ? 'latin1' : 'utf8')
  if (body !== undefined) bytes.set(body, headLength)
  return bytes
}
