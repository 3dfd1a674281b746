import { readFileSync } from 'node:fs'

/** A SIP message Asterisk sent or received. */
interface Traced {
  sent: boolean
  text: string
}

/** The SIP messages of Asterisk's console log (`pjsip set logger on`), in order. */
function sipTrace(log: string): Traced[] {
  const blocks = readFileSync(log, 'utf8').split(/^<--- (?=(?:Transmitting|Received) SIP )/m)
  return blocks.slice(1).map((block) => ({
    sent: block.startsWith('Transmitting'),
    text: block.slice(block.indexOf('\n') + 1),
  }))
}

/** How many re-INVITEs with a media direction (`sendonly`) Asterisk sent and saw answered with 200. */
export function answeredReinvites(log: string, direction: string): number {
  const fits = (text: string): boolean => new RegExp(`^a=${direction}\\s*$`, 'm').test(text)
  return answeredRequests(log, 'INVITE', fits)
}

/** How many requests in a dialog Asterisk sent and saw answered with 200. */
export function answeredRequests(
  log: string,
  method: string,
  fits: (request: string) => boolean = () => true,
): number {
  const trace = sipTrace(log)
  const answered = new Set<string>()
  for (const { sent, text } of trace) {
    if (!sent && /^SIP\/2\.0 200 /.test(text)) answered.add(key(text))
  }
  return trace.filter(
    ({ sent, text }) =>
      sent &&
      text.startsWith(`${method} `) &&
      /^To: .*;tag=/m.test(text) &&
      fits(text) &&
      answered.has(key(text)),
  ).length
}

/** How many re-INVITEs of Asterisk named another port for the audio than it had in that dialog. */
export function movedStreams(log: string): number {
  const ports = new Map<string, string>()
  let moved = 0
  for (const { sent, text } of sipTrace(log)) {
    const port = /^m=audio (\d+)/m.exec(text)?.[1]
    if (!sent || port === undefined) continue
    const dialog = /^Call-ID: (.*)/m.exec(text)![1]!
    const before = ports.get(dialog)
    if (/^INVITE /.test(text) && before !== undefined && before !== port) moved++
    ports.set(dialog, port)
  }
  return moved
}

/** The session timers Asterisk agreed to as the called party (RFC 4028), one for each dialog. */
export function sessionTimers(log: string): string[] {
  const timers = new Map<string, string>()
  for (const { sent, text } of sipTrace(log)) {
    const [, timer] = /^Session-Expires: *(.*?)\r?$/m.exec(text) ?? []
    const invite = /^CSeq: \d+ INVITE/m.test(text)
    if (sent && invite && /^SIP\/2\.0 200 /.test(text) && timer) timers.set(key(text), timer)
  }
  return [...timers.values()]
}

/** Call-ID and CSeq. */
function key(message: string): string {
  return `${/^Call-ID: (.*)/m.exec(message)?.[1]} ${/^CSeq: (.*)/m.exec(message)?.[1]}`
}
