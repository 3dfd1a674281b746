import {
  type CallingSettings,
  dateOf,
  ownEntry,
  type SettingsDocument,
  type SipServer,
} from '../../settings/index.ts'
import type { Paint } from '../style.ts'
import { printable } from '../text.ts'
import { valueText } from './value-text.ts'

/** A name and what belongs to it, on one line or several. */
type Row = [name: string, values: string[]]

/** The settings of a number for people. Holds no password. */
export function showLines(
  { calling, groups }: SettingsDocument,
  domain: string,
  paint: Paint,
): string[] {
  const rows = callingRows(calling, domain, paint)
  const others = Object.entries(groups).map(
    ([name, value]): Row => [printable(name), [valueText(value)]],
  )
  const width = Math.max(...[...rows, ...others].map(([name]) => name.length))
  const lines = (list: readonly Row[]): string[] =>
    list.flatMap(([name, values]) =>
      values.map((value, index) => {
        const text = value === 'not set' ? paint('dim', 'not set') : value
        return `${(index === 0 ? name : '').padEnd(width)}  ${text}`
      }),
    )
  const note = paint('dim', 'beside calling, never written:')
  return [...lines(rows), ...(others.length > 0 ? [note, ...lines(others)] : [])]
}

function callingRows(calling: CallingSettings, domain: string, paint: Paint): Row[] {
  const { sip, audio, call_icons, video, other } = calling
  const one = (name: string, value: unknown): Row => [name, [valueText(value)]]
  return [
    one('status', calling.status),
    one('sip.status', sip.status),
    [
      'sip.servers',
      listed(sip.servers.map((server) => serverLine(calling, server, domain, paint))),
    ],
    one('sip.webhook_delivery', sip.webhook_delivery),
    one('srtp_key_exchange_protocol', calling.srtp_key_exchange_protocol),
    one('audio.additional_codecs', audio.additional_codecs),
    one('call_icon_visibility', calling.call_icon_visibility),
    one('call_icons.restrict_to_user_countries', call_icons?.restrict_to_user_countries),
    ['call_hours', hoursLines(calling)],
    one('callback_permission_status', calling.callback_permission_status),
    ['voicemail', voicemailLines(calling)],
    one('video.status', video?.status),
    ['restrictions', restrictionLines(calling, paint)],
    ...Object.entries({
      ...prefixed('sip', sip.other),
      ...prefixed('audio', audio.other),
      ...other,
    }).map(([name, value]): Row => one(printable(name), value)),
  ]
}

function prefixed(name: string, other: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(other).map(([key, value]) => [`${name}.${key}`, value]))
}

function serverLine(
  calling: CallingSettings,
  server: SipServer,
  domain: string,
  paint: Paint,
): string {
  const own = server === ownEntry(calling, domain)
  const facts = [
    server.app_id === undefined ? 'no app told' : `app ${printable(server.app_id)}`,
    own ? paint('green', 'ours') : paint('yellow', 'of another app'),
    server.sip_user_password ? 'has a password' : 'no password shown',
  ]
  const { hostname, port, request_uri_user_params } = server
  return `${valueText({ hostname, port, request_uri_user_params })}  (${facts.join(', ')})`
}

function hoursLines({ call_hours: hours }: CallingSettings): string[] {
  if (!hours) return ['not set']
  return [
    [
      valueText(hours.status),
      hours.timezone_id ? printable(hours.timezone_id) : 'no time zone',
    ].join(', '),
    ...hours.weekly_operating_hours.map(valueText),
    ...hours.holiday_schedule.map((holiday) => `holiday ${valueText(holiday)}`),
    ...Object.entries(hours.other ?? {}).map(([key, value]) => valueText({ [key]: value })),
  ]
}

function voicemailLines({ voicemail }: CallingSettings): string[] {
  if (!voicemail) return ['not set']
  const { status, triggers, announcement_media_id, timeout_seconds } = voicemail
  const parts = [valueText(status)]
  if (triggers) parts.push(`on ${valueText(triggers)}`)
  if (timeout_seconds !== undefined) parts.push(`after ${timeout_seconds} s`)
  if (announcement_media_id !== undefined) {
    parts.push(`announcement ${printable(announcement_media_id)}`)
  }
  return [parts.join(', ')]
}

function restrictionLines({ restrictions }: CallingSettings, paint: Paint): string[] {
  return listed(
    restrictions.map(({ type, reason, expiration }) => {
      const until = expiration === undefined ? '' : ` until ${dateOf(expiration)}`
      return paint('yellow', printable(`${type}${until}${reason ? `: ${reason}` : ''}`))
    }),
  )
}

function listed(lines: string[]): string[] {
  return lines.length > 0 ? lines : ['none']
}

/** The settings of a number as data: in Meta's names, with `has_password` for each server. */
export function shownJson({ calling, groups }: SettingsDocument, domain: string) {
  const own = ownEntry(calling, domain)
  const servers = calling.sip.servers.map((server) => {
    const { sip_user_password, ...rest } = server
    return { ...rest, own: server === own, has_password: sip_user_password !== undefined }
  })
  return { calling: { ...calling, sip: { ...calling.sip, servers } }, groups }
}
