import { defineErrors } from './definition.ts'

/** Errors of the webhooks of both directions; part of the app area. */
export const webhookErrors = defineErrors({
  APP_WEBHOOK_HANDSHAKE: {
    summary: 'the verification handshake was refused',
    cause:
      'hub.verify_token is not whatsapp.webhooks.verify_token, or the request is no handshake.',
    fix: 'Enter the same verify token in the app dashboard and in the configuration.',
    owner: 'user',
    retryable: false,
  },
  APP_WEBHOOK_SIGNATURE: {
    summary: 'the webhook is not signed by the app',
    cause:
      'X-Hub-Signature-256 is missing, malformed, or not made with whatsapp.webhooks.app_secret of the raw body.',
    fix: 'Set app_secret to the secret of the app that sends the webhooks; let no proxy change the body.',
    owner: 'user',
    retryable: false,
  },
  APP_WEBHOOK_BUSY: {
    summary: 'too many webhooks wait',
    cause: 'Webhooks come faster than they are worked off, or Causeway is stopping.',
    fix: 'Nothing: WhatsApp sends them again. If it lasts, look at causeway_webhook_queue.',
    owner: 'causeway',
    retryable: true,
  },
  APP_EVENT_UNDELIVERED: {
    summary: 'an event could not be delivered to a webhook target',
    cause:
      'The target did not answer 2xx, and its tries are used up, or its answer says that more are no use.',
    fix: 'Look at the status in the log; the event is in the dead-letter file under records.path.',
    owner: 'user',
    retryable: true,
  },
  APP_EVENT_DEAD_LETTER: {
    summary: 'the dead-letter file cannot be written',
    cause: 'The folder records.path is missing or read-only, or the disk is full.',
    fix: 'Make records.path writable for the user of Causeway; undelivered events are lost meanwhile.',
    owner: 'user',
    retryable: true,
  },
})
