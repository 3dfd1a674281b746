import { defineErrors } from './definition.ts'

/**
 * Ends of a business-initiated call that the consumer's permission, the number's standing or its hours
 * decide. SIP status and Q.850 cause are a pair of their own for each, so that a dialplan can branch.
 */
export const policyCallErrors = defineErrors({
  CALL_PERMISSION_REQUESTED: {
    summary: 'the consumer has just been asked for permission',
    cause:
      'No call permission was on record; the trunk has permissions: request, so the request message was sent.',
    fix: 'Call again once the consumer has accepted; causeway permissions show tells.',
    owner: 'user',
    retryable: true,
    sip: 480,
    q850: 31,
  },
  CALL_PERMISSION_REQUEST_LIMIT: {
    summary: 'no call permission, and the consumer may not be asked again yet',
    cause:
      'One request in 24 hours and two in 7 days are allowed, until a call connects; they are used up.',
    fix: 'Wait for the answer, for a call from the consumer, or until the limit is over: the detail says when.',
    owner: 'user',
    retryable: true,
    sip: 403,
    q850: 29,
  },
  CALL_WHATSAPP_UNCALLABLE: {
    summary: 'the consumer cannot be called on WhatsApp',
    cause: 'Not on WhatsApp, terms not accepted, or a client too old for business calls.',
    fix: 'Reach the consumer by message or telephone.',
    owner: 'user',
    retryable: false,
    sip: 404,
    q850: 20,
  },
  CALL_WHATSAPP_PAUSED: {
    summary: 'WhatsApp has paused business-initiated calls of the number',
    cause:
      'Negative feedback or unanswered calls: RESTRICTED_BUSINESS_INITIATED_CALLING, for 7 days.',
    fix: 'Wait until the restriction expires; causeway status says when. Ask consumers before calling.',
    owner: 'user',
    retryable: false,
    sip: 403,
    q850: 52,
  },
  CALL_WHATSAPP_COUNTRY_BARRED: {
    summary: 'business-initiated calls are not offered in this country',
    cause: 'The country of the business number or of the consumer is excluded by WhatsApp.',
    fix: 'Call from a number of another country, or let the consumer call.',
    owner: 'user',
    retryable: false,
    sip: 403,
    q850: 50,
  },
  CALL_OUTSIDE_HOURS: {
    summary: 'outside the call hours of the number',
    cause:
      'call_hours of the number are ENABLED and closed now: who is called could not call back.',
    fix: 'Call within the hours, or change numbers[].calling.call_hours, or set its status to DISABLED, then apply.',
    owner: 'user',
    retryable: true,
    sip: 480,
    q850: 63,
  },
})
