import type { WebhookContact } from './types.ts'
import { type JsonObject, objectOf, objectsOf, textOf } from './wire.ts'

/** Digits, with or without a plus. */
const DIGITS = /^\+?\d{5,20}$/

/**
 * The consumer of a call or message. `contacts[]` of the value describes consumers; the item itself names
 * its own under one of `keys`, as digits or a business-scoped user id.
 *
 * @param keys of the item, the first that is there wins: `from`, `from_user_id`
 */
export function contactOf(
  value: JsonObject,
  item: JsonObject,
  keys: readonly string[],
): WebhookContact {
  const named = keys.flatMap((key) => textOf(item[key]) ?? [])
  const digits = named.find((text) => DIGITS.test(text))?.replace('+', '')
  const userId = named.find((text) => !DIGITS.test(text))
  const contacts = objectsOf(value['contacts'])
  const own = contacts.find(
    (contact) =>
      (digits !== undefined && textOf(contact['wa_id']) === digits) ||
      (userId !== undefined && textOf(contact['user_id']) === userId),
  )
  // With a single contact there is nobody else it could describe.
  const contact = own ?? (contacts.length === 1 ? contacts[0]! : {})
  const profile = objectOf(contact['profile'])
  return {
    waId: digits ?? textOf(contact['wa_id']),
    userId: userId ?? textOf(contact['user_id']),
    parentUserId: textOf(contact['parent_user_id']),
    name: textOf(profile['name']),
    username: textOf(profile['username']),
  }
}
