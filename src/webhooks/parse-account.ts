import { parseCalling } from '../settings/index.ts'
import type { AccountWebhook, ChangeContext, ParsedItem, SettingsWebhook } from './types.ts'
import { isObject, type JsonObject, objectOf, objectsOf, textOf, timeOf, wordOf } from './wire.ts'

/** Fields `account_settings_update` and `account_update` (docs/reference/whatsapp.md, Webhooks). */
export function parseAccount(
  field: 'account_settings_update' | 'account_update',
  value: JsonObject,
  context: ChangeContext,
): Omit<ParsedItem, 'field'>[] {
  const event =
    field === 'account_update' ? accountUpdate(value, context) : settingsUpdate(value, context)
  // Some events carry no time of their own: that of the entry tells a repetition from a second one.
  return [{ event, raw: [context.accountId, context.at, value] }]
}

function settingsUpdate(
  value: JsonObject,
  { phoneNumberId, at }: ChangeContext,
): SettingsWebhook | undefined {
  const type = wordOf(value['type']) ?? 'PHONE_NUMBER_SETTINGS'
  if (type !== 'PHONE_NUMBER_SETTINGS') return undefined
  const settings = objectOf(value['phone_number_settings'])
  const { calling } = settings
  return {
    kind: 'settings',
    phoneNumberId: textOf(settings['phone_number_id']) ?? phoneNumberId,
    at: timeOf(value['timestamp']) ?? at,
    calling: isObject(calling) ? parseCalling({ ...calling }) : undefined,
  }
}

function accountUpdate(
  value: JsonObject,
  { accountId, at }: ChangeContext,
): AccountWebhook | undefined {
  const event = wordOf(value['event'])
  if (event === undefined) return undefined
  const violation = objectOf(value['violation_info'])
  const type = wordOf(violation['violation_type'])
  return {
    kind: 'account',
    accountId,
    phoneNumber: textOf(value['phone_number'])?.replace(/^\+/, ''),
    event,
    violation:
      type === undefined ? undefined : { type, remediation: textOf(violation['remediation']) },
    restrictions: objectsOf(value['restriction_info'])
      .slice(0, 16)
      .map((restriction) => ({
        type: wordOf(restriction['restriction_type']) ?? 'UNKNOWN',
        expiresAt: timeOf(restriction['expiration']),
        remediation: textOf(restriction['remediation']),
      })),
    at: timeOf(value['timestamp']) ?? at,
  }
}
