import { contactOf } from './contact.ts'
import type { CallWebhook, ChangeContext, ParsedItem, WebhookError } from './types.ts'
import { type JsonObject, numberOf, objectOf, objectsOf, textOf, timeOf, wordOf } from './wire.ts'

/** Events of `calls[]`; `connect` carries the SDP of calls without SIP and is not for us. */
const EVENTS: Readonly<Record<string, CallWebhook['event']>> = {
  CALL_CREATED: 'created',
  TERMINATE: 'terminated',
}

const STATUSES: Readonly<Record<string, CallWebhook['event']>> = {
  RINGING: 'ringing',
  ACCEPTED: 'accepted',
  REJECTED: 'rejected',
}

const DIRECTIONS: Readonly<Record<string, NonNullable<CallWebhook['direction']>>> = {
  USER_INITIATED: 'user-initiated',
  BUSINESS_INITIATED: 'business-initiated',
}

/** What every event of a call has, empty. */
export const EMPTY_CALL = {
  kind: 'call',
  status: undefined,
  startedAt: undefined,
  endedAt: undefined,
  duration: undefined,
  mediaId: undefined,
} as const

/** Field `calls`: `calls[]` and `statuses[]` (docs/reference/whatsapp.md, Webhooks). */
export function parseCalls(value: JsonObject, context: ChangeContext): Omit<ParsedItem, 'field'>[] {
  const calls = objectsOf(value['calls']).map((call) => ({
    event: callEvent(value, call, context),
    raw: [context.phoneNumberId, call],
  }))
  const statuses = objectsOf(value['statuses']).map((status) => ({
    event: statusEvent(value, status, context),
    raw: [context.phoneNumberId, status],
  }))
  const items = [...calls, ...statuses]
  return items.length > 0 ? items : [{ event: undefined, raw: value }]
}

function callEvent(
  value: JsonObject,
  call: JsonObject,
  { phoneNumberId, at }: ChangeContext,
): CallWebhook | undefined {
  const wacid = textOf(call['id'])
  const event = EVENTS[wordOf(call['event']) ?? '']
  if (wacid === undefined || event === undefined) return undefined
  const direction = DIRECTIONS[wordOf(call['direction']) ?? '']
  const consumer =
    direction === 'business-initiated'
      ? ['to', 'to_user_id', 'recipient']
      : ['from', 'from_user_id']
  // A failure repeats its errors beside the call.
  const errors = objectsOf(call['errors'] ?? value['errors'])
  return {
    ...EMPTY_CALL,
    event,
    wacid,
    phoneNumberId,
    direction,
    at: timeOf(call['timestamp']) ?? at,
    contact: contactOf(value, call, consumer),
    status: wordOf(call['status']),
    startedAt: timeOf(call['start_time']),
    endedAt: timeOf(call['end_time']),
    duration: numberOf(call['duration']),
    errors: errors.slice(0, 8).map(parseError),
  }
}

function statusEvent(
  value: JsonObject,
  status: JsonObject,
  { phoneNumberId, at }: ChangeContext,
): CallWebhook | undefined {
  const wacid = textOf(status['id'])
  const event = STATUSES[wordOf(status['status']) ?? '']
  // Statuses of messages look alike but for their type.
  const type = wordOf(status['type']) ?? 'CALL'
  if (wacid === undefined || event === undefined || type !== 'CALL') return undefined
  return {
    ...EMPTY_CALL,
    event,
    wacid,
    phoneNumberId,
    // Only calls of the business have a recipient whose phone rings.
    direction: 'business-initiated',
    at: timeOf(status['timestamp']) ?? at,
    contact: contactOf(value, status, ['recipient_id', 'recipient_user_id']),
    errors: objectsOf(status['errors']).slice(0, 8).map(parseError),
  }
}

function parseError(error: JsonObject): WebhookError {
  const title = textOf(error['title']) ?? textOf(error['message'])
  return {
    code: numberOf(error['code']),
    title,
    details: textOf(objectOf(error['error_data'])['details']),
  }
}
