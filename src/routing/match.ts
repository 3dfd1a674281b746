import type { CallHoursConfig, RouteMatch } from '../config/types.ts'
import { judgeSchedule } from '../shared/call-hours.ts'
import { globMatches } from '../shared/glob.ts'
import { countryOf } from './country.ts'
import type { UserParams } from './user-params.ts'

/** What is known of a call from a WhatsApp user when its route is chosen. */
export interface ArrivingCall {
  /** Of the Request-URI. */
  params: UserParams
  /** `+E.164` or BSUID. */
  consumer: string
  /** Country as WhatsApp says it. */
  country?: string | undefined
  /** BSUID, also of a consumer whose number is shown. */
  userId?: string | undefined
  /** Of the call button and of the call link. */
  payloads: readonly string[]
  /** Milliseconds since the epoch. */
  at: number
}

/** One thing a route asks of a call, and whether the call has it. */
export interface Condition {
  key: 'params' | 'country' | 'payload' | 'hours'
  /** As in the file: `tgrp=sales`, `FR, BE`. */
  wanted: string
  /** What the call has instead, or has it from: `no tgrp`, `DE by calling code`. */
  found: string
  holds: boolean
}

/** Every condition of a route, in the order of the documentation; none for a route that takes all. */
export function judgeMatch(
  match: RouteMatch,
  call: ArrivingCall,
  hours: CallHoursConfig | undefined,
): Condition[] {
  const conditions = Object.entries(match.params).map(([name, pattern]) =>
    judgeParam(name, pattern, call.params),
  )
  if (match.country.length > 0) conditions.push(judgeCountry(match.country, call))
  if (match.payload.length > 0) conditions.push(judgePayload(match.payload, call.payloads))
  if (match.hours !== undefined) conditions.push(judgeHoursNow(match.hours, hours, call.at))
  return conditions
}

/** Whether the call fulfils a match. */
export function matches(
  match: RouteMatch,
  call: ArrivingCall,
  hours: CallHoursConfig | undefined,
): boolean {
  return judgeMatch(match, call, hours).every(({ holds }) => holds)
}

function judgeParam(name: string, pattern: string, params: UserParams): Condition {
  const value = params.get(name.toLowerCase())
  return {
    key: 'params',
    wanted: `${name}=${pattern}`,
    found: value === undefined ? `no ${name}` : `${name}=${value}`,
    // Values of URI parameters are compared without regard to case (RFC 3966 §4).
    holds: value !== undefined && globMatches(pattern.toLowerCase(), value.toLowerCase()),
  }
}

function judgeCountry(wanted: readonly string[], call: ArrivingCall): Condition {
  const finding = countryOf(call)
  return {
    key: 'country',
    wanted: wanted.join(', '),
    found: finding ? `${finding.country} by ${BY[finding.by]}` : 'no country known',
    holds: finding !== undefined && wanted.includes(finding.country),
  }
}

const BY = {
  whatsapp: 'WhatsApp’s header',
  'user id': 'the user id',
  'calling code': 'the calling code',
} as const

function judgePayload(patterns: readonly string[], payloads: readonly string[]): Condition {
  return {
    key: 'payload',
    wanted: patterns.join(', '),
    found: payloads.join(', ') || 'no payload',
    holds: patterns.some((pattern) => payloads.some((payload) => globMatches(pattern, payload))),
  }
}

function judgeHoursNow(
  wanted: 'open' | 'closed',
  hours: CallHoursConfig | undefined,
  at: number,
): Condition {
  const now = judgeSchedule(hours, at).open ? 'open' : 'closed'
  const zone = hours?.timezone_id
  return {
    key: 'hours',
    wanted,
    found: zone === undefined ? `${now}: the number has no hours` : `${now} in ${zone}`,
    holds: now === wanted,
  }
}
