import type { CallingSettings } from '../settings/index.ts'

/** Webhook fields Causeway understands; every other one is counted as `other`. */
export const WEBHOOK_FIELDS = [
  'account_settings_update',
  'account_update',
  'calls',
  'messages',
] as const

export type WebhookField = (typeof WEBHOOK_FIELDS)[number]

/** The consumer of an event. Which of the ids is there depends on the consumer's privacy. */
export interface WebhookContact {
  /** Digits without a plus. */
  waId: string | undefined
  /** Business-scoped user id, `FR.1349…`. */
  userId: string | undefined
  parentUserId: string | undefined
  /** Profile name. */
  name: string | undefined
  username: string | undefined
}

/** An error of the Graph API inside an event; 138021 is "media receive timeout". */
export interface WebhookError {
  code: number | undefined
  title: string | undefined
  details: string | undefined
}

/**
 * A step of a call, field `calls`, or its voicemail, field `messages`. `created`: a SIP call is
 * attempted; `terminated`: it is over; the next three come from `statuses[]`.
 */
export interface CallWebhook {
  kind: 'call'
  event: 'created' | 'terminated' | 'ringing' | 'accepted' | 'rejected' | 'voicemail'
  /** WhatsApp's id of the call. */
  wacid: string
  phoneNumberId: string | undefined
  direction: 'user-initiated' | 'business-initiated' | undefined
  /** When it happened, milliseconds since the Unix epoch. */
  at: number | undefined
  contact: WebhookContact
  /** Of `terminated`: `COMPLETED`, `FAILED`, or a word this version does not know. */
  status: string | undefined
  /** Of `terminated`, only when the call was picked up; milliseconds since the Unix epoch. */
  startedAt: number | undefined
  endedAt: number | undefined
  /** Seconds. */
  duration: number | undefined
  errors: WebhookError[]
  /** Of `voicemail`: id of the audio in the Media API. */
  mediaId: string | undefined
}

/** Somebody changed a number's calling settings, Causeway itself included. */
export interface SettingsWebhook {
  kind: 'settings'
  phoneNumberId: string | undefined
  at: number | undefined
  /** The settings as the event shows them, without credentials. */
  calling: CallingSettings | undefined
}

/** A consumer granted or refused the permission to be called, or WhatsApp took it back. */
export interface PermissionWebhook {
  kind: 'permission'
  phoneNumberId: string | undefined
  contact: WebhookContact
  response: 'accept' | 'reject'
  /** Whether a grant has no end. */
  permanent: boolean
  /** End of a temporary grant, milliseconds since the Unix epoch. */
  expiresAt: number | undefined
  /** `automatic`: WhatsApp's own doing, such as a callback grant or a revocation after missed calls. */
  source: 'user_action' | 'automatic' | undefined
  /** Id of the request (wamid) or of the call (wacid) it answers; undefined for neither. */
  contextId: string | undefined
  at: number | undefined
}

/** A restriction of an `account_update`. */
export interface AccountRestriction {
  /** `RESTRICTED_BUSINESS_INITIATED_CALLING`, `RESTRICTED_USER_INITIATED_CALLING`, … */
  type: string
  /** Milliseconds since the Unix epoch. */
  expiresAt: number | undefined
  remediation: string | undefined
}

/** WhatsApp judged the business account. It names an account, rarely a number. */
export interface AccountWebhook {
  kind: 'account'
  /** Id of the WhatsApp Business Account. */
  accountId: string | undefined
  /** The number it is about, digits, where the event names one. */
  phoneNumber: string | undefined
  /** `ACCOUNT_VIOLATION`, `ACCOUNT_RESTRICTION`, or another word. */
  event: string
  /** Of a violation: `LOW_BUSINESS_INITIATED_CALLING_QUALITY`, `USER_INITIATED_CALLS_LOW_PICKUP_RATE`, … */
  violation: { type: string; remediation: string | undefined } | undefined
  restrictions: AccountRestriction[]
  at: number | undefined
}

export type WebhookEvent = CallWebhook | SettingsWebhook | PermissionWebhook | AccountWebhook

/** Where an event stands: its entry and change. */
export interface ChangeContext {
  /** Id of the WhatsApp Business Account. */
  accountId: string | undefined
  phoneNumberId: string | undefined
  /** Time of the entry, milliseconds since the Unix epoch; not every event has one. */
  at: number | undefined
}

/** One thing an envelope tells. */
export interface ParsedItem {
  field: WebhookField | 'other'
  /** Undefined: nothing Causeway makes use of, such as a text message. */
  event: WebhookEvent | undefined
  /** The JSON it was made of, from which duplicates are told. */
  raw: unknown
}

/**
 * Who is told of the events. Each method is called once for an event, as soon as the queue has come to
 * it, with duplicates and events outside the replay window taken out. Order is not promised: what
 * depends on it compares `at`. An exception is logged and stops nothing.
 */
export interface WebhookSinks {
  onSettingsUpdate(event: SettingsWebhook): void
  onCall(event: CallWebhook): void
  onPermissionReply(event: PermissionWebhook): void
  onAccountUpdate(event: AccountWebhook): void
}
