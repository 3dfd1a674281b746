import { graphParty } from './party.ts'
import type { RequestMessage } from './types.ts'

/** Longest body of an interactive message. */
export const TEXT_LIMIT = 1024

/**
 * The body of `POST /{phone-number-id}/messages` that asks a consumer for call permission. Free-form
 * messages reach a consumer inside the 24-hour service window only; a template (category MARKETING or
 * UTILITY, made with a `call_permission_request` component) at any time. What a template asks is
 * part of its definition, so nothing but its name and language is sent.
 */
export function requestBody(consumer: string, message: RequestMessage): Record<string, unknown> {
  const { id, scoped } = graphParty(consumer)
  const envelope = {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...(scoped ? { recipient: id } : { to: id }),
  }
  if ('template' in message) {
    const { template: name, language: code } = message
    return { ...envelope, type: 'template', template: { name, language: { code } } }
  }
  return {
    ...envelope,
    type: 'interactive',
    interactive: {
      type: 'call_permission_request',
      action: { name: 'call_permission_request' },
      ...(message.text === undefined ? {} : { body: { text: message.text } }),
    },
  }
}
