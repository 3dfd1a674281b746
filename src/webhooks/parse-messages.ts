import { contactOf } from './contact.ts'
import { EMPTY_CALL } from './parse-calls.ts'
import type { CallWebhook, ChangeContext, ParsedItem, PermissionWebhook } from './types.ts'
import { type JsonObject, objectOf, objectsOf, textOf, timeOf, truthOf, wordOf } from './wire.ts'

/**
 * Field `messages`: replies to call permission requests, and voicemails (docs/reference/whatsapp.md, Webhooks):
 * audio messages whose id is that of a call. Everything else of the inbox is none of our business.
 */
export function parseMessages(
  value: JsonObject,
  context: ChangeContext,
): Omit<ParsedItem, 'field'>[] {
  const items = objectsOf(value['messages']).map((message) => ({
    event: permission(value, message, context) ?? voicemail(value, message, context),
    raw: [context.phoneNumberId, message],
  }))
  return items.length > 0 ? items : [{ event: undefined, raw: value }]
}

function permission(
  value: JsonObject,
  message: JsonObject,
  { phoneNumberId, at }: ChangeContext,
): PermissionWebhook | undefined {
  const interactive = objectOf(message['interactive'])
  if (wordOf(interactive['type']) !== 'CALL_PERMISSION_REPLY') return undefined
  const reply = objectOf(interactive['call_permission_reply'])
  const response = wordOf(reply['response'])
  if (response !== 'ACCEPT' && response !== 'REJECT') return undefined
  const source = wordOf(reply['response_source'])
  return {
    kind: 'permission',
    phoneNumberId,
    contact: contactOf(value, message, ['from', 'from_user_id']),
    response: response === 'ACCEPT' ? 'accept' : 'reject',
    permanent: truthOf(reply['is_permanent']),
    expiresAt: timeOf(reply['expiration_timestamp']),
    source:
      source === 'USER_ACTION' ? 'user_action' : source === 'AUTOMATIC' ? 'automatic' : undefined,
    contextId: textOf(objectOf(message['context'])['id']),
    at: timeOf(message['timestamp']) ?? at,
  }
}

function voicemail(
  value: JsonObject,
  message: JsonObject,
  { phoneNumberId, at }: ChangeContext,
): CallWebhook | undefined {
  const wacid = textOf(message['id'])
  if (!wacid?.startsWith('wacid.') || wordOf(message['type']) !== 'AUDIO') return undefined
  return {
    ...EMPTY_CALL,
    event: 'voicemail',
    wacid,
    phoneNumberId,
    direction: 'user-initiated',
    at: timeOf(message['timestamp']) ?? at,
    contact: contactOf(value, message, ['from', 'from_user_id']),
    errors: [],
    mediaId: textOf(objectOf(message['audio'])['id']),
  }
}
