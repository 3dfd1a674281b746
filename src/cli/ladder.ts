import type { CallRecord, LadderEntry } from '../calls/index.ts'
import type { CallMessages } from '../capture/index.ts'
import { catalogue, definitionOf } from '../shared/errors/index.ts'
import { mediaLines } from './media-lines.ts'
import { ladderOf } from './messages.ts'
import type { Paint } from './style.ts'
import { cut, printable, wrap } from './text.ts'

/** Columns of the picture: times, then the three lifelines. */
const LEFT = 9
const MIDDLE = 44
const RIGHT = 79
/** Columns of text between two lifelines. */
const SPAN = MIDDLE - LEFT - 1
/** Shortest shaft of an arrow, its head included. */
const SHAFT = 3
/** Milliseconds between two messages from which the pause is told. */
const PAUSE = 1000
/** Lines of a note below its arrow. */
const NOTE_LINES = 2

const plain: Paint = (_style, text) => text

/**
 * Draws the messages of a call between WhatsApp, Causeway and the PBX, 80 columns wide, with the time
 * of each in milliseconds since the call began.
 *
 * @param dropped messages that were not kept; they belong before the last one, or in the middle of
 * @param messages all that the wire carried; pauses between them are told then
 * @returns lines without line ends
 */
export function drawLadder(
  entries: readonly LadderEntry[],
  dropped = 0,
  paint: Paint = plain,
  messages = false,
): string[] {
  const lines = [heads(paint)]
  const gap = messages ? Math.floor(entries.length / 2) : entries.length - 1
  if (entries.length === 0) lines.push(lifelines('', '', '', paint))
  for (const [index, entry] of entries.entries()) {
    const pause = entry.t - (entries[index - 1]?.t ?? entry.t)
    if (messages && pause >= PAUSE) {
      lines.push(lifelines('', ` ${duration(pause)} later`, '', paint))
    }
    if (dropped > 0 && index === gap) {
      const text = `${dropped} more message${dropped === 1 ? '' : 's'}, not kept`
      lines.push(lifelines('', ` ${text}`, '', paint))
    }
    lines.push(...rungs(entry, paint))
  }
  return lines
}

/** The names above the lifelines, each centred on its own as far as the edges allow. */
function heads(paint: Paint): string {
  const line = 'ms'.padStart(LEFT - 2).padEnd(LEFT)
  const middle = MIDDLE - 'Causeway'.length / 2
  const text = `${line}WhatsApp`
    .padEnd(middle)
    .concat('Causeway')
    .padEnd(RIGHT - 2)
  return paint('bold', `${text}PBX`)
}

function rungs(entry: LadderEntry, paint: Paint): string[] {
  const { leg, dir } = entry
  const what = printable(entry.what)
  const note = entry.note === undefined ? undefined : printable(entry.note)
  // Seen from the picture: WhatsApp is left of Causeway, the PBX right of it.
  const rightward = (leg === 'whatsapp') === (dir === 'in')
  const inline = note === undefined ? what : `${what} (${note})`
  const fits = inline.length + 2 + SHAFT <= SPAN
  const label = fits ? inline : cut(what, SPAN - 2 - SHAFT)
  const shaft = '─'.repeat(SPAN - label.length - 3)
  const tone = toneOf(what)
  const shown = tone ? paint(tone, label) : label
  const arrow = rightward ? ` ${shown} ${shaft}▶` : `◀${shaft} ${shown} `
  const below = fits || note === undefined ? [] : wrap(note, SPAN - 4, NOTE_LINES)
  return [
    rung(leg, `${entry.t}`, arrow, paint),
    ...below.map((text) => rung(leg, '', `   ${text.padEnd(SPAN - 3)}`, paint)),
  ]
}

/** One line of the picture with something between two of its lifelines. */
function rung(leg: LadderEntry['leg'], time: string, middle: string, paint: Paint): string {
  return leg === 'whatsapp'
    ? lifelines(time, middle, '', paint)
    : lifelines(time, '', middle, paint)
}

function lifelines(time: string, left: string, right: string, paint: Paint): string {
  const line = paint('dim', '│')
  // Arrows come in full width already, and may hold colour codes.
  const [first, second] = [left.padEnd(SPAN), right.padEnd(SPAN)]
  return `${paint('dim', time.padStart(LEFT - 2))}  ${line}${first}${line}${second}${line}`
}

/** Failures stand out, and so do answers. */
function toneOf(what: string): Parameters<Paint>[0] | undefined {
  const status = /^(?:\d+ )?([1-6])\d\d\b/.exec(what)?.[1]
  // 401 and 407 ask for credentials: no failure.
  if (/^(?:\d+ )?40[17]\b/.test(what)) return undefined
  if (status === '2') return 'green'
  return status && status >= '4' ? 'red' : undefined
}

/**
 * A call for people: a header, then its ladder. Ends with a line end.
 *
 * @param messages the messages themselves, where they are kept: the ladder then holds all of them
 */
export function formatCall(
  call: CallRecord,
  paint: Paint = plain,
  messages?: CallMessages,
): string {
  const ladder = messages
    ? drawLadder(ladderOf(messages), messages.dropped, paint, true)
    : drawLadder(call.ladder, call.ladderDropped, paint)
  const media = mediaLines(call, paint)
  const figures = media.length > 0 ? ['', ...media] : []
  return `${[...header(call, paint), ...figures, '', ...ladder].join('\n')}\n`
}

function header(call: CallRecord, paint: Paint): string[] {
  const { id, direction, state, whatsapp, media } = call
  const rows: [string, string | undefined][] = [
    ['parties', parties(call)],
    ['through', through(call)],
    ['wacid', whatsapp.wacid],
    ['call-id', callIdsOf(call)],
    ['times', times(call)],
    ['media', media && mediaOf(media)],
    ['ended', endOf(call)],
    ['fix', fixOf(call)],
    ['billed', billed(call)],
    ['webhook', told(call)],
  ]
  const title = `${paint('bold', `Call ${id}`)}  ${direction}, ${state}`
  const lines = rows.flatMap(([name, value]) => {
    if (value === undefined) return []
    const [first, ...rest] = wrap(printable(value), RIGHT - LEFT)
    const label = `  ${name}`.padEnd(LEFT)
    const tone = name === 'ended' ? endTone(call) : undefined
    const shade = (text: string): string => (tone ? paint(tone, text) : text)
    return [
      `${paint('dim', label)} ${shade(first ?? '')}`,
      ...rest.map((text) => `${' '.repeat(LEFT + 1)}${shade(text)}`),
    ]
  })
  return [title, ...lines]
}

/** The route of a call from WhatsApp; what named the number of one from the PBX. */
function chosenBy({ direction, route }: CallRecord): string {
  if (route === undefined) return ''
  return direction === 'user-initiated' ? `route ${route}, ` : `named by ${route}, `
}

function through(call: CallRecord): string {
  const { number, trunk, target } = call
  const where = target === undefined ? '' : ` (${target})`
  return `number ${number}, ${chosenBy(call)}trunk ${trunk}${where}`
}

/** For a search in the logs of either side. */
function callIdsOf({ callIds }: CallRecord): string | undefined {
  const { whatsapp, pbx } = callIds ?? {}
  const parts = [pbx && `PBX ${pbx}`]
  // That of a user's call is its wacid.
  if (whatsapp !== undefined && !whatsapp.includes('wacid.')) parts.push(`WhatsApp ${whatsapp}`)
  const text = parts.filter((part) => part !== undefined).join(', ')
  return text === '' ? undefined : text
}

/** What WhatsApp bills, of calls it does bill. */
function billed({ billing, cause }: CallRecord): string | undefined {
  if (!cause || !billing || billing.pulses === 0) return undefined
  const { pulses, seconds, basis } = billing
  const whose = basis === 'causeway' ? 'by our clock' : 'by WhatsApp’s'
  return `${pulses} ${pulses === 1 ? 'pulse' : 'pulses'} of 6 s: ${seconds} s ${whose}`
}

/** Who called whom: the user the business, or the business the user. */
function parties({ direction, consumer, business, whatsapp }: CallRecord): string {
  const named = whatsapp.displayName
  const digits = consumer.replace(/^\+/, '')
  const user = named && named !== digits ? `${consumer} (${named})` : consumer
  return direction === 'user-initiated' ? `${user} → ${business}` : `${business} → ${user}`
}

function times({ startedAt, ringingAt, answeredAt, endedAt, talkSeconds }: CallRecord): string {
  const after = (at: number): string => duration(at - startedAt)
  const parts = [new Date(startedAt).toISOString()]
  if (ringingAt !== undefined) parts.push(`rang after ${after(ringingAt)}`)
  if (answeredAt === undefined) {
    if (endedAt !== undefined) parts.push(`ended after ${after(endedAt)}`)
    return parts.join(', ')
  }
  parts.push(`answered after ${after(answeredAt)}`)
  const talked = endedAt === undefined ? `${talkSeconds} s so far` : duration(endedAt - answeredAt)
  parts.push(`talked ${talked}`)
  return parts.join(', ')
}

/** `12 ms`, `1.2 s`, `3 min 20 s`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`
  const tenths = Math.round(ms / 100)
  if (tenths < 600) return `${tenths / 10} s`
  const seconds = Math.round(ms / 1000)
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

function mediaOf({ codec, srtp }: NonNullable<CallRecord['media']>): string {
  const side = (which: 'whatsapp' | 'pbx'): string => `${codec[which]}, ${protection(srtp[which])}`
  const [whatsapp, pbx] = [side('whatsapp'), side('pbx')]
  if (whatsapp === pbx) return `${whatsapp} on both sides`
  return `${whatsapp} to WhatsApp; ${pbx} to the PBX`
}

function protection(mode: string): string {
  if (mode === 'none') return 'plain RTP'
  return mode.startsWith('DTLS') ? mode : `SRTP ${mode}`
}

const OWNERS = { causeway: 'Causeway', pbx: 'the PBX', whatsapp: 'WhatsApp', user: 'you' } as const

function endOf({ cause }: CallRecord): string | undefined {
  if (!cause) return undefined
  const { code, result, owner, sip, q850, text } = cause
  if (code === 'NORMAL') return `${result}: ${text}`
  const acts = result === 'failed' || result === 'refused' ? `; ${OWNERS[owner]} should act` : ''
  return `${result}: ${text} (${code}, SIP ${sip}, Q.850 ${q850})${acts}`
}

/** What to do about a call that failed or was refused. */
function fixOf({ cause }: CallRecord): string | undefined {
  if (!cause || cause.code === 'NORMAL') return undefined
  const { code, result } = cause
  // A record of another version may hold a code that is not of this one.
  const known = (result === 'failed' || result === 'refused') && Object.hasOwn(catalogue, code)
  return known ? definitionOf(code).fix : undefined
}

/** What WhatsApp's own webhooks say of the call. */
function told({ whatsappReport: report }: CallRecord): string | undefined {
  if (!report) return undefined
  const { status, duration, errors, voicemail, rejectedAt } = report
  const parts = [status === undefined ? 'WhatsApp knows the call' : `WhatsApp says ${status}`]
  if (duration !== undefined) parts.push(`${duration} s`)
  if (rejectedAt !== undefined) parts.push('rejected by the user')
  if (voicemail !== undefined) parts.push('a voicemail was left')
  const faults = errors.map(({ code, title, details }) => {
    const more = details === undefined || details === title ? '' : ` (${details})`
    return `${code ?? 'error'} ${title ?? ''}${more}`.trim()
  })
  return [parts.join(', '), ...faults].join('; ')
}

function endTone({ cause }: CallRecord): Parameters<Paint>[0] | undefined {
  if (!cause) return undefined
  if (cause.result === 'completed') return 'green'
  return cause.result === 'failed' || cause.result === 'refused' ? 'red' : 'yellow'
}
