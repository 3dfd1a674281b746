import type { LadderEntry } from '../calls/index.ts'
import type { CallMessage, CallMessages } from '../capture/index.ts'
import type { Paint } from './style.ts'
import { printable } from './text.ts'

const plain: Paint = (_style, text) => text

/**
 * The messages as arrows of a ladder: all of them, with what their SDP says, what was repeated, and each
 * target of the PBX that is tried.
 */
export function ladderOf({ messages }: CallMessages): LadderEntry[] {
  let target: string | undefined
  return messages.map(({ t, leg, dir, what, note, repeats, remote }, index) => {
    const again = repeats === undefined ? undefined : `again, no. ${repeats + 1}`
    const tried = leg === 'pbx' && dir === 'out' && what === 'INVITE' && remote !== target
    if (tried) target = remote
    const said = again ?? (tried ? [remote, note].filter(Boolean).join(' ') : note)
    const name = `${index + 1} ${what}`
    return { t: Math.round(t), leg, dir, what: name, ...(said !== undefined && { note: said }) }
  })
}

/** Every message in full, numbered as in the ladder. @returns lines without line ends */
export function bodyLines({ messages }: CallMessages, paint: Paint = plain): string[] {
  return messages.flatMap((message, index) => [
    '',
    heading(message, index, messages[index - 1], paint),
    ...(message.repeats === undefined
      ? textLines(message.text)
      : [`    the same as no. ${message.repeats + 1}`]),
  ])
}

function heading(
  { t, leg, dir, transport, local, remote, note }: CallMessage,
  index: number,
  before: CallMessage | undefined,
  paint: Paint,
): string {
  const since = before ? `, +${milliseconds(t - before.t)}` : ''
  const peer = leg === 'pbx' ? 'the PBX' : 'WhatsApp'
  const way = dir === 'in' ? `from ${peer}` : `to ${peer}`
  const [from, to] = dir === 'in' ? [remote, local] : [local, remote]
  const title = paint('bold', `${index + 1}  ${way}`)
  const facts = `${milliseconds(t)}${since}  ${transport} ${from} → ${to}`
  return `${title}  ${facts}${note === undefined ? '' : `  (${printable(note)})`}`
}

function textLines(text: string): string[] {
  const lines = text.split(/\r\n|\n|\r/)
  // The line end of the last line is no line of its own.
  while (lines.at(-1) === '') lines.pop()
  return lines.map((line) => (line === '' ? '' : `    ${printable(line)}`))
}

function milliseconds(ms: number): string {
  return `${Math.round(ms * 10) / 10} ms`
}
