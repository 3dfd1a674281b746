import { parseAccount } from './parse-account.ts'
import { parseCalls } from './parse-calls.ts'
import { parseMessages } from './parse-messages.ts'
import { type ChangeContext, type ParsedItem, WEBHOOK_FIELDS, type WebhookField } from './types.ts'
import { type JsonObject, objectOf, objectsOf, textOf, timeOf } from './wire.ts'

type FieldParser = (value: JsonObject, context: ChangeContext) => Omit<ParsedItem, 'field'>[]

const PARSERS: Record<WebhookField, FieldParser> = {
  account_settings_update: (value, context) =>
    parseAccount('account_settings_update', value, context),
  account_update: (value, context) => parseAccount('account_update', value, context),
  calls: parseCalls,
  messages: parseMessages,
}

/**
 * Takes an envelope apart: `{ object, entry: [{ id, time, changes: [{ field, value }] }] }` (docs/reference/whatsapp.md,
 * Webhooks). Lenient: numbers may be text, words come in any case, what is unknown is passed over
 * but counted.
 *
 * @returns undefined when the body is no envelope
 */
export function parseEnvelope(body: unknown): ParsedItem[] | undefined {
  const { entry } = objectOf(body)
  if (!Array.isArray(entry)) return undefined
  return objectsOf(entry).flatMap((one) =>
    objectsOf(one['changes']).flatMap((change) => parseChange(one, change)),
  )
}

function parseChange(entry: JsonObject, change: JsonObject): ParsedItem[] {
  const name = textOf(change['field'])?.toLowerCase()
  const field = WEBHOOK_FIELDS.find((known) => known === name)
  if (field === undefined) return [{ field: 'other', event: undefined, raw: change }]
  const value = objectOf(change['value'])
  const context = {
    accountId: textOf(entry['id']),
    phoneNumberId: textOf(objectOf(value['metadata'])['phone_number_id']),
    at: timeOf(entry['time']),
  }
  return PARSERS[field](value, context).map((item) => ({ field, ...item }))
}
