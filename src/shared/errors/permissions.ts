import { defineErrors } from './definition.ts'

/** Errors and warnings of the permissions area; every code starts with `PERMISSION_`. */
export const permissionErrors = defineErrors({
  PERMISSION_PROVIDER: {
    summary: 'call permissions cannot be asked for at this provider',
    cause:
      '360dialog does not document where its API has call_permissions and the request message.',
    fix: "Leave trunks[].permissions at off; WhatsApp's own answer to the call is authoritative.",
    owner: 'user',
    retryable: false,
  },
  PERMISSION_QUERIES_LIMITED: {
    summary: 'too many permission queries are waiting',
    cause:
      'Queries are limited to 5 a second, and to none for a while after WhatsApp said 613; the queue is full.',
    fix: 'Slow the dialler down, or set trunks[].permissions to off.',
    owner: 'user',
    retryable: true,
  },
  PERMISSION_UNCHECKED: {
    summary: 'the call goes out without a permission check',
    cause: 'The Graph API gave no usable answer within 2 seconds. WhatsApp itself judges the call.',
    fix: 'Look at the detail; check DNS, the firewall, the token and whatsapp.graph_url.',
    owner: 'user',
    retryable: true,
  },
  PERMISSION_REQUEST_FAILED: {
    summary: 'the permission request message was not sent',
    cause: 'WhatsApp refused the message or could not be reached.',
    fix: 'Read the detail. Outside the 24-hour service window a template is needed: trunks[].permissions.template.',
    owner: 'user',
    retryable: true,
  },
  PERMISSION_STREAK: {
    summary: 'a consumer has not answered several calls in a row',
    cause:
      'After 2 unanswered or declined calls WhatsApp asks the consumer whether to allow more, after 4 it revokes the permission.',
    fix: 'Stop calling this consumer for now; send a message first.',
    owner: 'user',
    retryable: false,
  },
  PERMISSION_STREAK_REVOKED: {
    summary: 'unanswered calls have cost the permission of a consumer',
    cause: 'Four business-initiated calls in a row were unanswered or declined.',
    fix: 'Ask for permission again, by message.',
    owner: 'user',
    retryable: false,
  },
  PERMISSION_PICKUP_LOW: {
    summary: 'few consumers answer the calls of the number',
    cause: 'Fewer than 20 % of the last calls, of 20 or more in 24 hours, were answered.',
    fix: 'Ask before calling and call at fitting hours; WhatsApp pauses calling for low quality.',
    owner: 'user',
    retryable: false,
  },
  PERMISSION_QUALITY: {
    summary: 'WhatsApp warns of low calling quality',
    cause: 'An account_update webhook reported a violation; a restriction may follow.',
    fix: 'Answer calls, ask consumers before calling; see WhatsApp Manager.',
    owner: 'user',
    retryable: false,
  },
})
