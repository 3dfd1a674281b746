import { maskWacid } from '../../shared/log.ts'

/** What stands before the host of a SIP URI; the number of a tel URI. */
const USER = /(sips?:)([^@\s<>"]{1,256})(?=@)/gi
const TEL = /(tel:)([^\s<>;"]{1,64})/gi
/** A phone number by its length; identifiers with letters, tags and branches are none. */
const NUMBER = /(?<![\w.*]|tag=|branch=|nc=)(?:\+\d[\d ().-]{5,}\d|\d{7,})(?![\w*])/gi
/** Headers made of identifiers, counters and addresses. */
const STRUCTURAL =
  /^[ \t]*(?:via|v|call-id|i|cseq|rseq|rack|content-length|l|max-forwards|date|timestamp|session-id|expires|session-expires|x|min-se|route|record-route|allow|supported|k|user-agent|server)[ \t]*:/i
/** SDP lines with free text or a user name. */
const SDP_TEXT = /^[ \t]*(?:o|s|i|e|p)=/

/** Masks all digits but the last two where there are five or more. */
function mask(text: string): string {
  const digits = text.replace(/\D/g, '').length
  if (digits < 5) return text
  let left = digits - 2
  return text.replace(/\d/g, (digit) => (left-- > 0 ? '*' : digit))
}

/** Masks phone numbers in a message, as `log.numbers: masked` asks for. Idempotent. */
export function maskNumbers(head: string, body: string, sdp: boolean): [string, string] {
  return [lines(head, maskHeader), lines(body, sdp ? maskSdp : maskText)]
}

function lines(text: string, change: (line: string) => string): string {
  return text.replace(/[^\r\n]+/g, change)
}

function maskUris(line: string): string {
  const masked = (_all: string, scheme: string, user: string): string => scheme + mask(user)
  return String(maskWacid(line)).replace(USER, masked).replace(TEL, masked)
}

function maskText(line: string): string {
  return maskUris(line).replace(NUMBER, mask)
}

function maskHeader(line: string): string {
  return STRUCTURAL.test(line) ? maskUris(line) : maskText(line)
}

function maskSdp(line: string): string {
  if (!SDP_TEXT.test(line)) return maskUris(line)
  if (!/^[ \t]*o=/.test(line)) return maskText(line)
  const [user = '', ...rest] = line.split(' ')
  return [mask(user), ...rest].join(' ')
}
