import {
  type Condition,
  NO_ROUTE,
  type RouteFinding,
  type SourceFinding,
} from '../../routing/index.ts'
import type { CausewayError } from '../../shared/errors/index.ts'
import type { Paint } from '../style.ts'
import { printable } from '../text.ts'
import type { PbxExplanation } from './pbx-call.ts'
import type { ShownInvite } from './shown-invite.ts'
import type { ChainStep, WhatsAppExplanation } from './whatsapp-call.ts'

type Row = readonly [name: string, value: string | undefined]

/** An explanation for people: the call, what was looked at, what comes of it. Ends with a line end. */
export function formatWhatsAppCall(explanation: WhatsAppExplanation, paint: Paint): string {
  const { number, business, consumer, profile, country, params, payloads, refused } = explanation
  const name = profile === undefined ? '' : ` (${profile})`
  const called = number === undefined ? 'an unknown number' : `${number} (${business})`
  const lines = [
    paint('bold', `A call from WhatsApp to ${called}`),
    ...facts([
      ['from', consumer === undefined ? undefined : `${consumer}${name}`],
      ['country', country && `${country.country}, by ${BY[country.by] ?? country.by}`],
      ['parameters', listed(Object.entries(params).map(([key, value]) => `${key}=${value}`))],
      ['payload', listed(payloads)],
      ['at', timeOf(explanation)],
    ]),
  ]
  if (explanation.routes.length > 0) {
    lines.push('', paint('bold', 'Routes'), ...routeLines(explanation.routes, paint))
  }
  if (refused) lines.push('', ...refusal(refused, 'WhatsApp', paint))
  else {
    lines.push('', paint('bold', 'Goes to'), ...chainLines(explanation.chain, paint))
    lines.push(...inviteLines(explanation.chain, paint))
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** The same for a call from the PBX. */
export function formatPbxCall(explanation: PbxExplanation, paint: Paint): string {
  const { trunk, trunk_by, source, sources, number, business, dialled, consumer } = explanation
  const why = {
    option: undefined,
    source: `trunk ${trunk}, whose accept.from has ${source}`,
    credentials: `trunk ${trunk}, if it answers the challenge for its accept.username`,
  }
  const lines = [
    paint('bold', `A call from the PBX${trunk === undefined ? '' : ` of trunk ${trunk}`}`),
    ...facts([
      ['taken for', trunk_by && why[trunk_by]],
      ['dialled', dialled],
    ]),
  ]
  if (sources.length > 0) {
    lines.push('', paint('bold', 'Number'), ...sourceLines(sources, paint))
  }
  if (explanation.refused) lines.push('', ...refusal(explanation.refused, 'the PBX', paint))
  else {
    const asked = PERMISSIONS[explanation.permissions ?? 'off']
    lines.push('', paint('bold', 'Goes to'))
    lines.push(`  WhatsApp, from ${number} (${business}) to ${consumer}`)
    if (asked !== undefined) lines.push(paint('dim', `  ${asked}`))
    lines.push('', paint('bold', 'WhatsApp sees'), ...messageLines(explanation.invite, paint))
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

const BY: Record<string, string> = {
  whatsapp: 'WhatsApp’s header',
  'user id': 'the user id',
  'calling code': 'the calling code',
}

const PERMISSIONS = {
  off: undefined,
  check: 'if the consumer permits it (permissions: check)',
  request: 'if the consumer permits it, who is asked otherwise (permissions: request)',
}

function facts(rows: readonly Row[]): string[] {
  const given = rows.filter(([, value]) => value !== undefined)
  const width = Math.max(0, ...given.map(([name]) => name.length))
  return given.map(([name, value]) => `  ${name.padEnd(width)}  ${printable(value!)}`)
}

function routeLines(routes: readonly RouteFinding[], paint: Paint): string[] {
  const taken = routes.find(({ verdict }) => verdict === 'taken')?.name
  return routes.flatMap(({ name, verdict, conditions, refuse }) => {
    if (verdict === 'passed') return [paint('dim', `  · ${name}: ${taken} has the call already`)]
    const taking = verdict === 'taken'
    const all = name === NO_ROUTE ? 'every call that no route takes' : 'every call'
    const what = [
      conditions.length === 0 ? all : undefined,
      refuse === undefined ? undefined : `${taking ? 'refuses' : 'would refuse'} with ${refuse}`,
    ].filter((part) => part !== undefined)
    const note = what.length > 0 ? paint('dim', `  ${what.join(', ')}`) : ''
    return [
      `  ${mark(taking, paint)} ${paint('bold', name)}${note}`,
      ...conditionLines(conditions, paint),
    ]
  })
}

function conditionLines(conditions: readonly Condition[], paint: Paint): string[] {
  const wanted = Math.max(0, ...conditions.map((one) => one.wanted.length))
  return conditions.map(({ key, wanted: text, found, holds }) => {
    const left = `${KEYS[key].padEnd(9)}  ${printable(text).padEnd(wanted)}`
    return `      ${mark(holds, paint)} ${left}  ${paint('dim', printable(found))}`
  })
}

const KEYS = {
  params: 'parameter',
  country: 'country',
  payload: 'payload',
  hours: 'hours',
} as const

function sourceLines(sources: readonly SourceFinding[], paint: Paint): string[] {
  const rows = sources.map((source) => ({ ...source, title: SOURCES[source.source] }))
  const width = Math.max(...rows.map(({ title }) => title.length))
  return rows.map(({ title, said, number, verdict }) => {
    const left = title.padEnd(width)
    const meaning = number === undefined ? 'none of the numbers' : `number ${number}`
    const text = said === '' ? 'nothing' : said === number ? meaning : `${said}: ${meaning}`
    if (verdict === 'passed') return paint('dim', `  · ${left}  ${printable(text)}`)
    return `  ${mark(verdict === 'taken', paint)} ${left}  ${printable(text)}`
  })
}

const SOURCES = {
  prefix: 'dialled prefix',
  pai: 'P-Asserted-Identity',
  from: 'From',
  diversion: 'Diversion',
  'history-info': 'History-Info',
  trunk: 'outbound.number',
} as const

function chainLines(chain: readonly ChainStep[], paint: Paint): string[] {
  const width = Math.max(0, ...chain.map(({ trunk }) => trunk.length))
  return chain.map(({ trunk, ring_timeout: rings, targets }, index) => {
    const where = targets.join(', ') || 'no targets'
    const name = paint('bold', trunk.padEnd(width))
    return `  ${index + 1}. ${name}  rings ${rings / 1000} s  ${where}`
  })
}

/** What the first trunk sees whole; of the others what differs. */
function inviteLines(chain: readonly ChainStep[], paint: Paint): string[] {
  const first = chain.find(({ invite }) => invite !== undefined)
  return chain.flatMap(({ trunk, invite }) => {
    if (!invite) return []
    const whole = trunk === first?.trunk
    const title = `The PBX of trunk ${trunk} sees${whole ? '' : ', where it differs'}`
    if (whole) return ['', paint('bold', title), ...messageLines(invite, paint)]
    const known = first!.invite!.headers
    const other = Object.entries(invite.headers).filter(([name, value]) => known[name] !== value)
    const gone = Object.keys(known).filter((name) => !(name in invite.headers))
    return [
      '',
      paint('bold', title),
      ...messageLines({ uri: invite.uri, headers: Object.fromEntries(other) }, paint),
      ...gone.map((name) => paint('dim', `  no ${name}`)),
    ]
  })
}

function messageLines(invite: ShownInvite | undefined, paint: Paint): string[] {
  if (!invite) return []
  return [
    `  ${paint('bold', 'INVITE')} ${printable(invite.uri)}`,
    ...Object.entries(invite.headers).map(
      ([name, value]) => `  ${paint('cyan', name)}: ${printable(value)}`,
    ),
  ]
}

function refusal(
  { status, error }: { status: number; error: CausewayError },
  who: string,
  paint: Paint,
): string[] {
  const { summary, fix } = error.definition
  const detail = error.detail === undefined ? '' : `: ${printable(error.detail)}`
  return [
    paint('red', `Refused: ${who} is answered ${status}`),
    `  ${error.code}  ${summary}${detail}`,
    `  ${paint('dim', 'fix:')} ${fix}`,
  ]
}

function timeOf({ at, hours }: WhatsAppExplanation): string {
  const zone = hours?.time_zone
  const state = hours === undefined ? '' : hours.open ? ': open' : ': closed'
  const next = hours?.opens_at === undefined ? '' : `, opens ${clock(hours.opens_at, zone)}`
  return `${clock(at, zone)} ${zone ?? 'local time'}${state}${next}`
}

/** `Thu 2026-12-24 18:00` */
function clock(at: number, timeZone: string | undefined): string {
  const parts = new Intl.DateTimeFormat('en-GB', {
    ...(timeZone === undefined ? {} : { timeZone }),
    weekday: 'short',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at)
  const part = (type: string): string => parts.find((it) => it.type === type)?.value ?? ''
  const date = `${part('year')}-${part('month')}-${part('day')}`
  return `${part('weekday')} ${date} ${part('hour')}:${part('minute')}`
}

function mark(good: boolean, paint: Paint): string {
  return good ? paint('green', '✓') : paint('red', '✗')
}

function listed(values: readonly string[]): string | undefined {
  return values.length > 0 ? values.join(', ') : undefined
}
