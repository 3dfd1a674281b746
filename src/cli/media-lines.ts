import type { CallRecord } from '../calls/index.ts'
import type { CallMediaReport, LegReport, StreamReport } from '../media/index.ts'
import type { Paint } from './style.ts'
import { printable, wrap } from './text.ts'

/** Columns of the names, and of a whole line. */
const NAME = 12
const WIDTH = 80

/**
 * What became of a call's packets, for people: a line for each leg and direction, then what was found
 * to be wrong. No line where the relay has seen no packets.
 */
export function mediaLines({ report, verdicts }: CallRecord, paint: Paint): string[] {
  const lines: string[] = []
  if (report) {
    const { whatsapp, pbx } = report.legs
    lines.push(`${paint('dim', '  audio'.padEnd(NAME))}${verdictOf(report, paint)}`)
    if (whatsapp && !idle(whatsapp)) lines.push(...legLines('WhatsApp', whatsapp, paint))
    if (pbx && !idle(pbx)) lines.push(...legLines('PBX', pbx, paint))
    if (report.dtmf.length > 0) {
      const keys = report.dtmf.map(({ side, digit }) => `${digit} (${side})`).join(' ')
      lines.push(...row('keys', keys, paint))
    }
  }
  const shown = report ? report.verdicts : verdicts
  for (const { code, detail, fix, clearedAt } of shown) {
    const state = clearedAt === undefined ? 'stands' : 'cleared'
    lines.push(`  ${paint('yellow', code)} (${state})`)
    lines.push(...row('', detail, paint), ...row('', `fix: ${fix}`, paint))
  }
  return lines
}

function verdictOf({ verdict, transcoding }: CallMediaReport, paint: Paint): string {
  const words = {
    good: 'good: both sides are heard',
    'one-way': 'one-way: one side is not heard',
    bad: 'bad',
    none: 'no media',
  }[verdict]
  const tone = verdict === 'good' ? 'green' : verdict === 'none' ? 'dim' : 'red'
  return paint(tone, words) + (transcoding ? ', transcoded' : '')
}

/** A leg that never had a far end, because nobody answered: its protection was not agreed either. */
function idle({ remote, sent, received }: LegReport): boolean {
  return remote === undefined && sent.packets === 0 && received.packets === 0
}

function legLines(name: string, leg: LegReport, paint: Paint): string[] {
  const { mode, suite } = leg.srtp
  const way = `${leg.local ?? '?'} ↔ ${leg.remote ?? 'nowhere'}`
  const protection = mode === 'none' ? 'plain RTP' : (suite ?? 'DTLS-SRTP')
  const facts = [leg.codec, protection, way]
  if (leg.rttMs !== undefined) facts.push(`round trip ${Math.round(leg.rttMs)} ms`)
  if (leg.held) facts.push('held')
  const lines = row(name, facts.filter((fact) => fact !== undefined).join(', '), paint)
  if (leg.dtls && leg.ice) {
    lines.push(...row('', `DTLS ${leg.dtls.role}, ICE ${leg.ice.local} → ${leg.ice.remote}`, paint))
  }
  lines.push(...row('', `heard ${stream(leg.received)}`, paint))
  const filled = leg.silenceInserted > 0 ? `, ${leg.silenceInserted} of silence` : ''
  lines.push(...row('', `sent  ${stream(leg.sent)}${filled}`, paint))
  const { auth, replayed, wrongSource, wrongPayloadType, malformed } = leg.discarded
  const discarded = Object.entries({
    'not decrypted': auth,
    replayed,
    'from elsewhere': wrongSource,
    'wrong payload type': wrongPayloadType,
    malformed,
  }).filter(([, count]) => count > 0)
  if (discarded.length > 0) {
    const text = discarded.map(([what, count]) => `${count} ${what}`).join(', ')
    lines.push(...row('', `discarded ${text}`, paint))
  }
  return lines
}

function stream(report: StreamReport): string {
  const { packets, lost, lossRate, jitterMs, mos, firstPacketAfterMs, longestGapMs } = report
  const parts = [`${packets} packets`, `${lost} lost`]
  if (lost > 0) parts[1] += ` (${(lossRate * 100).toFixed(1)} %)`
  parts.push(`jitter ${jitterMs.toFixed(1)} ms`)
  if (firstPacketAfterMs !== undefined)
    parts.push(`first after ${Math.round(firstPacketAfterMs)} ms`)
  if (longestGapMs > 0) parts.push(`longest gap ${Math.round(longestGapMs)} ms`)
  if (mos !== undefined) parts.push(`MOS ${mos.toFixed(1)}`)
  return parts.join(', ')
}

function row(name: string, text: string, paint: Paint): string[] {
  const [first = '', ...rest] = wrap(printable(text), WIDTH - NAME)
  return [
    `${paint('dim', `  ${name}`.padEnd(NAME))}${first}`,
    ...rest.map((line) => `${' '.repeat(NAME)}${line}`),
  ]
}
