/** Where a call goes: a trunk, and how it is presented there. */
export interface TrunkStep {
  /** Name of a trunk. */
  trunk: string
  /** Template of the user part of the R-URI and To. */
  to: string
  /** Template of the user part of From and of the identity headers. */
  from: string
  /** Milliseconds until the PBX leg is cancelled. */
  ringTimeout: number
}

/** What happens to a user-initiated call to the number. */
export interface InboundConfig extends TrunkStep {
  /** What is tried in turn when the trunk fails or does not answer. */
  overflow: TrunkStep[]
  /** Whether WhatsApp gets the PBX's early media (a 183 with SDP, and RTP before the answer). */
  earlyMedia: boolean
  /** Absolute path of the file played while an overflow trunk rings, or when nobody answers. */
  announcement: string | undefined
  /** Exceptions, the first that matches wins. */
  routes: RouteConfig[]
}

/** What a call must have for a route; an empty list or mapping, or undefined, asks for nothing. */
export interface RouteMatch {
  /** User parameters of the Request-URI (RFC 4904), patterns by name. */
  params: Readonly<Record<string, string>>
  /** Countries of the consumer, ISO 3166-1 alpha-2. */
  country: readonly string[]
  /** Patterns of the payload of the call button or link. */
  payload: readonly string[]
  /** Whether the call hours of the number are to be open or closed. */
  hours: 'open' | 'closed' | undefined
}

/** Statuses a route may refuse with. */
export const REFUSE_STATUSES = [403, 404, 480, 486, 503, 603] as const

export type RefuseStatus = (typeof REFUSE_STATUSES)[number]

/** One entry of `numbers[].inbound.routes`: what `inbound` says, filled in where it says nothing. */
export interface RouteConfig {
  name: string
  match: RouteMatch
  /** Answers WhatsApp with this status; undefined: the call goes on. */
  refuse: RefuseStatus | undefined
  inbound: Omit<InboundConfig, 'routes'>
}

/** What may tell the business number of a call from the PBX. */
export const NUMBER_SOURCES = ['prefix', 'pai', 'from', 'diversion', 'history-info'] as const

export type NumberSource = (typeof NUMBER_SOURCES)[number]

/** How calls of a trunk leave to WhatsApp users. */
export interface OutboundConfig {
  /** Name of the number calls leave from when nothing else names one. */
  number: string | undefined
  /** Template of the consumer's user part. */
  to: string
  /** What is looked at for the number, in this order, before `number`. */
  by: readonly NumberSource[]
  prefixes: readonly DialPrefix[]
}

/** Digits dialled before the consumer's number that choose the business number. */
export interface DialPrefix {
  prefix: string
  /** Name of the number. */
  number: string
  /** Whether the prefix is taken off. */
  strip: boolean
}

/** How phone numbers are dialled and written at a trunk. */
export interface NumberPlan {
  /** Country calling code without plus; undefined: all numbers are international ones. */
  countryCode: string | undefined
  /** What stands before a national number: `0` in most of Europe, '' where there is nothing. */
  nationalPrefix: string
  /** What stands before a foreign number: `00`, `011` in North America. */
  internationalPrefix: string
}

/** How the WhatsApp user is shown to the PBX. */
export interface PresentationConfig extends NumberPlan {
  numbers: 'e164' | 'digits' | 'national'
  /** Headers besides From that say who calls (RFC 3325, Remote-Party-ID). */
  identity: 'pai' | 'rpid' | 'both' | 'none'
  from: 'caller' | 'business' | 'anonymous'
  /** `profile`, `number`, `none`, or a template. */
  display: string
  /** What becomes of a business-scoped user id where a number is expected. */
  userId: 'keep' | 'replace' | 'display'
  /** User part that stands in for a user id. */
  userIdNumber: string | undefined
}
