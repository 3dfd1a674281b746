import { formatHostPort } from '../shared/host-port.ts'
import { methodOf, nameOf } from './facts.ts'
import { splitMessage } from './redact/message.ts'
import { sdpSummary } from './sdp-summary.ts'
import type { CallMessage, CallMessages, Transcript } from './types.ts'

/** The messages of a call for people: named, annotated, repetitions found. */
export function viewOf({ id, startedAt, messages, dropped }: Transcript): CallMessages {
  const seen = new Map<string, number>()
  const view = messages.map((message, index): CallMessage => {
    const { at, leg, dir, transport, text } = message
    // A tap sees what a retransmission is: the same octets again, the same way.
    const key = `${leg} ${dir} ${text}`
    const first = transport === 'udp' ? seen.get(key) : undefined
    if (first === undefined) seen.set(key, index)
    const note = noteOf(text)
    return {
      at,
      t: Math.round((at - startedAt) * 10) / 10,
      leg,
      dir,
      transport,
      local: formatHostPort(message.localAddress, message.localPort),
      remote: formatHostPort(message.remoteAddress, message.remotePort),
      what: nameOf(text),
      ...(note !== undefined && { note }),
      ...(first !== undefined && { repeats: first }),
      text,
    }
  })
  return { id, messages: view, dropped }
}

function noteOf(text: string): string | undefined {
  const body = splitMessage(text)[2]
  const method = /^SIP\//i.test(text) ? methodOf(text) : undefined
  const notes = [method === 'INVITE' ? undefined : method, sdpSummary(body)]
  const known = notes.filter((note) => note !== undefined)
  return known.length > 0 ? known.join(', ') : undefined
}
