import type { MediaVerdict } from '../../simulator/index.ts'
import type { Paint } from '../style.ts'
import { formatTable } from '../table.ts'

/** One direction of one call's audio. */
export interface Hearing {
  call: 'user-initiated' | 'business-initiated'
  from: 'WhatsApp' | 'PBX'
  to: 'WhatsApp' | 'PBX'
  codec: string
  sent: number
  received: number
  lost: number
  /** Hz. */
  tone: number
  /** Hz; undefined when no tone was recognised. */
  heard: number | undefined
  /** Milliseconds the tone was heard. */
  ms: number
  /** What is wrong; empty when the audio is good. */
  faults: string[]
}

/** Milliseconds of the right tone that prove audio. */
export const HEARD = 1000
/** Hz a recognised tone may be off. */
const OFF = 10
/** Share of packets that may be lost: a busy machine drops some even on loopback. */
const LOSS = 0.05

/** Judges both directions of a call by what each end sent and the other one heard. */
export function judge(
  call: Hearing['call'],
  whatsapp: MediaVerdict | undefined,
  pbx: MediaVerdict | undefined,
): Hearing[] {
  return [
    direction(call, ['WhatsApp', whatsapp], ['PBX', pbx]),
    direction(call, ['PBX', pbx], ['WhatsApp', whatsapp]),
  ]
}

type End = [name: 'WhatsApp' | 'PBX', media: MediaVerdict | undefined]

function direction(call: Hearing['call'], [from, sender]: End, [to, receiver]: End): Hearing {
  const received = receiver?.received
  const hearing: Hearing = {
    call,
    from,
    to,
    codec: receiver?.codec ?? '-',
    sent: sender?.sent.packets ?? 0,
    received: received?.packets ?? 0,
    lost: received?.lost ?? 0,
    tone: sender?.sent.frequency ?? 0,
    heard: received?.tone?.frequency,
    ms: received?.tone?.ms ?? 0,
    faults: [],
  }
  const { heard, tone, ms, lost } = hearing
  const say = (fault: string): void => void hearing.faults.push(fault)
  if (hearing.sent === 0) say(`the ${from} side sent nothing`)
  else if (hearing.received === 0) say(`nothing reached the ${to} side`)
  else if (heard === undefined) say(`the ${to} side recognised no tone`)
  else if (Math.abs(heard - tone) > OFF) say(`${heard} Hz was heard instead of ${tone} Hz`)
  else if (ms < HEARD) say(`the tone was heard for ${ms} ms only`)
  if (lost > LOSS * (hearing.received + lost)) say(`${lost} packets were lost`)
  if ((receiver?.rejected ?? 0) > 0) say(`${receiver?.rejected} packets failed authentication`)
  if ((received?.ssrcs.length ?? 0) > 1) say(`the SSRC changed (${received?.ssrcs.length})`)
  return hearing
}

/** The table of what was heard; what is wrong stands below its row. */
export function formatHearings(hearings: readonly Hearing[], paint: Paint): string[] {
  const header = ['CALL', 'AUDIO', 'CODEC', 'PACKETS', 'LOST', 'HEARD']
  const rows = hearings.map((one) => [
    one.call,
    `${one.from} → ${one.to}`,
    one.codec,
    `${one.received}`,
    `${one.lost}`,
    one.heard === undefined ? 'nothing' : `${one.heard} Hz for ${(one.ms / 1000).toFixed(1)} s`,
  ])
  const good = (row: number): boolean => hearings[row]?.faults.length === 0
  const lines = formatTable(header, rows, {
    right: [3, 4],
    cell(text, column, row) {
      if (row < 0) return paint('bold', text)
      return column === 5 ? paint(good(row) ? 'green' : 'red', text) : text
    },
  })
  return lines.flatMap((line, index) => {
    if (index === 0) return [`    ${line}`]
    const mark = good(index - 1) ? paint('green', '✓') : paint('red', '✗')
    const faults = hearings[index - 1]?.faults ?? []
    return [`  ${mark} ${line}`, ...faults.map((fault) => `      ${paint('red', fault)}`)]
  })
}
