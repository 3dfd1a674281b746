import { stringify } from 'csv-stringify/sync'
import type { CallRecord } from '../calls/index.ts'
import type { LegReport } from '../media/index.ts'

type Cell = string | number | undefined
type Column = (record: CallRecord) => Cell

const time = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString()

/** The columns of one leg's media. */
function leg(side: 'whatsapp' | 'pbx'): Record<string, Column> {
  const of = ({ report }: CallRecord): LegReport | undefined => report?.legs[side]
  const round = (value: number | undefined, digits: number): number | undefined =>
    value === undefined ? undefined : Number(value.toFixed(digits))
  return {
    [`${side}_codec`]: ({ media }) => media?.codec[side],
    [`${side}_srtp`]: ({ media }) => media?.srtp[side],
    [`${side}_mos`]: (record) => round(of(record)?.received.mos, 2),
    [`${side}_loss`]: (record) => round(of(record)?.received.lossRate, 4),
    [`${side}_jitter_ms`]: (record) => round(of(record)?.received.jitterMs, 1),
    [`${side}_packets_received`]: (record) => of(record)?.received.packets,
    [`${side}_packets_sent`]: (record) => of(record)?.sent.packets,
  }
}

/**
 * The columns in their order, which is part of the interface: new ones are added at the end. Documented in
 * docs/reference/records.md.
 */
export const CSV_COLUMNS: Readonly<Record<string, Column>> = {
  id: ({ id }) => id,
  wacid: ({ whatsapp }) => whatsapp.wacid,
  direction: ({ direction }) => direction,
  number: ({ number }) => number,
  business: ({ business }) => business,
  consumer: ({ consumer }) => consumer,
  country: ({ country }) => country,
  trunk: ({ trunk }) => trunk,
  target: ({ target }) => target,
  route: ({ route }) => route,
  started: ({ startedAt }) => time(startedAt),
  ringing: ({ ringingAt }) => time(ringingAt),
  answered: ({ answeredAt }) => time(answeredAt),
  ended: ({ endedAt }) => time(endedAt),
  talk_ms: ({ talkMs }) => talkMs,
  whatsapp_seconds: ({ whatsapp, whatsappReport }) =>
    whatsappReport?.duration ?? whatsapp.callDuration,
  pulses: ({ billing }) => billing.pulses,
  pulses_basis: ({ billing }) => billing.basis,
  result: ({ cause }) => cause?.result,
  code: ({ cause }) => cause?.code,
  ended_by: ({ endedBy }) => endedBy,
  acts: ({ cause }) => cause?.owner,
  sip_status: ({ cause }) => cause?.sip,
  q850: ({ cause }) => cause?.q850,
  text: ({ cause }) => cause?.text,
  permission: ({ permission }) => permission && (permission.status ?? 'unknown'),
  display_name: ({ whatsapp }) => whatsapp.displayName,
  username: ({ whatsapp }) => whatsapp.username,
  user_id: ({ whatsapp }) => whatsapp.userId,
  cta_payload: ({ whatsapp }) => whatsapp.ctaPayload,
  deeplink_payload: ({ whatsapp }) => whatsapp.deeplinkPayload,
  ...leg('whatsapp'),
  ...leg('pbx'),
  media_verdict: ({ report }) => report?.verdict,
  verdicts: ({ verdicts }) => verdicts.map(({ code, side }) => `${code}@${side}`).join(' '),
  whatsapp_status: ({ whatsappReport }) => whatsappReport?.status,
  whatsapp_errors: ({ whatsappReport }) =>
    whatsappReport?.errors.map(({ code, title }) => code ?? title ?? '').join(' '),
  call_id_whatsapp: ({ callIds }) => callIds.whatsapp,
  call_id_pbx: ({ callIds }) => callIds.pbx,
  version: ({ version }) => version,
}

const COLUMNS = Object.entries(CSV_COLUMNS)
/** RFC 4180. */
const STYLE = { record_delimiter: '\r\n' } as const

/** The header line. */
export function csvHeader(): string {
  return stringify([COLUMNS.map(([name]) => name)], STYLE)
}

/** One line a call. */
export function csvLines(records: readonly CallRecord[]): string {
  const rows = records.map((record) => COLUMNS.map(([, column]) => cell(column(record))))
  return rows.length === 0 ? '' : stringify(rows, STYLE)
}

/**
 * A text a spreadsheet would take for a formula gets an apostrophe in front, since names and payloads are
 * whatever the other side sends (CWE-1236). A phone number stays as it is: a plus and digits is no more than a
 * number to a spreadsheet, and a program finds the number it looks for.
 */
function cell(value: Cell): string {
  if (value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const formula = /^[\s\x00]*[=+\-@\t\r]/.test(value) && !/^\+\d{1,15}$/.test(value)
  return formula ? `'${value}` : value
}
