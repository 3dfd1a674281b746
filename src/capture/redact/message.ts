import type { NumberStyle } from '../../shared/log.ts'
import { removeKeys } from './keys.ts'
import { maskNumbers } from './numbers.ts'
import { hideStrayHeaders, hideStraySdp } from './strays.ts'

/** The end of the header lines, whatever ends them. */
const GAP = /(\r\n|\n|\r(?!\n))(\r\n|\n|\r(?!\n))/
const LENGTH = /^([ \t]*(?:content-length|l)[ \t]*:[ \t]*)(\d{1,9})(?=[ \t]*$)/im

/**
 * The text of a SIP message fit to be kept and shown: without keys, passwords, credentials and typed
 * digits, and with phone numbers masked when they are to be. Content-Length follows the body, so that
 * a well-formed message stays one, and one with a wrong length stays as wrong. Never throws.
 */
export function redactMessage(text: string, numbers: NumberStyle): string {
  const [head, gap, body] = splitMessage(text)
  const type = contentType(head)
  const sdp = type === 'application/sdp' || /^\s*v=0/.test(body)
  let newHead = hideStrayHeaders(removeKeys(head))
  let newBody = redactBody(body, type)
  if (sdp) newBody = hideStraySdp(newBody)
  if (numbers === 'masked') {
    ;[newHead, newBody] = maskNumbers(newHead, newBody, sdp)
  }
  if (newBody !== body) {
    const grown = Buffer.byteLength(newBody) - Buffer.byteLength(body)
    newHead = newHead.replace(LENGTH, (_all, name: string, length: string) => {
      return `${name}${Math.max(0, Number(length) + grown)}`
    })
  }
  return newHead + gap + newBody
}

/** Header lines, the gap after them, and the body. */
export function splitMessage(text: string): [head: string, gap: string, body: string] {
  const gap = GAP.exec(text)
  if (!gap) return [text, '', '']
  return [text.slice(0, gap.index), gap[0], text.slice(gap.index + gap[0].length)]
}

/** Media type of the body in lower case, without parameters; '' when there is none. */
export function contentType(head: string): string {
  const value = /^[ \t]*(?:content-type|c)[ \t]*:[ \t]*([^\s;]+)/im.exec(head)?.[1]
  return value?.toLowerCase() ?? ''
}

function redactBody(body: string, type: string): string {
  // A body that is a digit and nothing else; application/dtmf-relay names its fields.
  if (/^(?:application|audio)\/(?:dtmf|(?:vnd\.|x-)?telephone-event)$/.test(type) && body !== '') {
    return '[redacted]'
  }
  return removeKeys(body)
}
