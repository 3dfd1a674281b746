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
  const trace = sipTrace(log)
  const reinvites = trace.filter(
    ({ sent, text }) =>
      sent &&
      /^INVITE /.test(text) &&
      /^To: .*;tag=/m.test(text) &&
      new RegExp(`^a=${direction}\\s*$`, 'm').test(text),
  )
  return reinvites.filter(({ text: request }) =>
    trace.some(
      ({ sent, text }) => !sent && /^SIP\/2\.0 200 /.test(text) && key(text) === key(request),
    ),
  ).length
}

/** Call-ID and CSeq. */
function key(message: string): string {
  return `${/^Call-ID: (.*)/m.exec(message)?.[1]} ${/^CSeq: (.*)/m.exec(message)?.[1]}`
}
