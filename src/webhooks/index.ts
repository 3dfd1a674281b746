/** WhatsApp's webhooks: signature, handshake, events, replay window. */
export type { DeliveryResult, EventCount, EventResult } from './counters.ts'
export { WebhookCounters } from './counters.ts'
export { parseEnvelope } from './parse.ts'
export {
  BODY_LIMIT,
  type ReceiverAnswer,
  type ReceiverOptions,
  WebhookReceiver,
} from './receiver.ts'
export { signatureOf } from './signature.ts'
export type {
  AccountRestriction,
  AccountWebhook,
  CallWebhook,
  ParsedItem,
  PermissionWebhook,
  SettingsWebhook,
  WebhookContact,
  WebhookError,
  WebhookEvent,
  WebhookField,
  WebhookSinks,
} from './types.ts'
