import {
  type CallPermission,
  isGranted,
  judgeCall,
  judgeRequest,
  type PermissionAction,
  periodText,
} from '../permissions/index.ts'
import type { Pair } from './permissions.ts'
import type { Paint } from './style.ts'

const MINUTE = 60_000

/** What may be done towards a consumer, and what to do next. */
export function permissionLines(
  { number, consumer }: Pair,
  permission: CallPermission,
  now: number,
  paint: Paint,
): string[] {
  const callable = judgeCall(permission, now) === undefined
  const askable = judgeRequest(permission, now) === undefined
  const rows: [good: boolean | undefined, name: string, texts: string[]][] = [
    [isGranted(permission, now), 'permission', [stateText(permission, now)]],
    [callable, 'call now', callTexts(callable, permission, now)],
    permission.status === 'permanent'
      ? [undefined, 'ask now', ['no need to']]
      : [askable, 'ask now', askTexts(askable, permission, now)],
  ]
  const width = Math.max(...rows.map(([, label]) => label.length))
  const lines = rows.flatMap(([good, label, texts]) =>
    texts.map((text, index) =>
      index === 0
        ? `${mark(good, paint)} ${label.padEnd(width)}  ${text}`
        : `  ${' '.repeat(width)}  ${text}`,
    ),
  )
  const { name, phoneNumber } = number
  return [
    `${paint('bold', name)} ${phoneNumber} calling ${paint('bold', consumer)}`,
    '',
    ...lines,
    '',
    nextText({ number, consumer }, permission, now),
  ]
}

function mark(good: boolean | undefined, paint: Paint): string {
  if (good === undefined) return '·'
  return good ? paint('green', '✓') : paint('red', '✗')
}

function stateText({ status, expires }: CallPermission, now: number): string {
  if (status === 'permanent') return 'permanent, until the consumer revokes it'
  if (status === 'no_permission') return 'none: not given, not on WhatsApp, or terms not accepted'
  if (expires === undefined) return 'temporary'
  if (expires <= now) return `none: the temporary permission ended ${timeText(expires, now)}`
  return `temporary, until ${timeText(expires, now)}`
}

function callTexts(allowed: boolean, permission: CallPermission, now: number): string[] {
  const why = isGranted(permission, now) ? 'no' : 'no, without permission'
  return [allowed ? 'yes' : why, ...quotas(permission.call, 'connected calls', now)]
}

function askTexts(allowed: boolean, { request }: CallPermission, now: number): string[] {
  return [allowed ? 'yes' : 'no', ...quotas(request, 'requests', now)]
}

function quotas(action: PermissionAction | undefined, what: string, now: number): string[] {
  const limits = action?.limits ?? []
  return limits.map(({ used, max, period, until }) => {
    const again = until === undefined ? '' : `, free again ${timeText(until, now)}`
    return `${used} of ${max} ${what} used in ${periodText(period)}${again}`
  })
}

function nextText({ number, consumer }: Pair, permission: CallPermission, now: number): string {
  const refusal = judgeCall(permission, now)
  if (!refusal) return 'Next: call.'
  if (isGranted(permission, now)) return `Next: ${refusal.fix}`
  const limit = judgeRequest(permission, now)
  if (!limit) return `Next: causeway permissions request ${number.name} ${consumer}`
  const ends = (permission.request?.limits ?? []).flatMap(({ until }) => until ?? [])
  const when = ends.length === 0 ? 'later' : `from ${timeText(Math.max(...ends), now)}`
  return `Next: wait for the consumer to answer or to call; ask again ${when}.`
}

/** `Sun, 6 Dec 2026, 14:00 CET (2026-12-06T13:00Z), in 6 d 18 h`; the UTC only where local time differs. */
export function timeText(at: number, now: number): string {
  const local = new Intl.DateTimeFormat('en-GB', {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZoneName: 'short',
  }).format(at)
  const same = new Date(at).getTimezoneOffset() === 0
  const utc = same ? '' : ` (${new Date(at).toISOString().slice(0, 16)}Z)`
  return `${local}${utc}, ${spanText(at - now)}`
}

function spanText(ms: number): string {
  const minutes = Math.max(1, Math.round(Math.abs(ms) / MINUTE))
  const parts: [number, string][] = [
    [Math.floor(minutes / 1440), 'd'],
    [Math.floor((minutes % 1440) / 60), 'h'],
    [minutes % 60, 'min'],
  ]
  const text = parts
    .slice(parts.findIndex(([amount]) => amount > 0))
    .slice(0, 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
  return ms >= 0 ? `in ${text}` : `${text} ago`
}
