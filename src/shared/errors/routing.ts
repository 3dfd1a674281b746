import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const

/** Contradictions in routes, in what chooses a number, and in the presentation of callers. */
export const configRoutingErrors = defineErrors({
  CONFIG_ROUTE_REFUSES: {
    summary: 'a route refuses the call and sends it somewhere',
    cause: 'A route with refuse answers WhatsApp by itself; nothing else of it would count.',
    fix: 'Remove refuse, or everything beside name and match.',
    ...mistake,
  },
  CONFIG_ROUTE_UNREACHABLE: {
    summary: 'a route is never reached',
    cause:
      'The first route that matches wins, and an earlier one matches every call this one does.',
    fix: 'Put the narrower route first, or remove one of the two.',
    ...mistake,
  },
  CONFIG_ROUTE_HOURS_MISSING: {
    summary: 'a route asks for hours the number does not have',
    cause: 'Without calling.call_hours.weekly_operating_hours in the file a number is always open.',
    fix: 'Write the hours under calling.call_hours (with status: DISABLED they count for routes only), or remove the condition.',
    ...mistake,
  },
  CONFIG_ROUTE_PARAM_UNSENT: {
    summary: 'a route asks for a user parameter that WhatsApp does not send',
    cause:
      'calling.sip.request_uri_user_params of the number has another value, or no such parameter.',
    fix: 'Make the two agree.',
    ...mistake,
  },
  CONFIG_COUNTRY_CODE_MISSING: {
    summary: 'national numbers without a country',
    cause: 'presentation.numbers is national, and no country_code says which nation.',
    fix: 'Add country_code, the calling code in quotes, such as "44".',
    ...mistake,
  },
  CONFIG_USER_ID_NUMBER_MISSING: {
    summary: 'nothing stands in for user ids',
    cause:
      'presentation.user_id takes user ids out of the user part, and user_id_number is missing.',
    fix: 'Add user_id_number, the user part in their place, or user_id: keep.',
    ...mistake,
  },
  CONFIG_PREFIXES_UNUSED: {
    summary: 'dialled prefixes are not looked at',
    cause: 'outbound.by leaves prefix out.',
    fix: 'Add prefix to outbound.by, or remove outbound.prefixes.',
    ...mistake,
  },
})

/** Ends of a call that its route decided. */
export const routingCallErrors = defineErrors({
  CALL_ROUTE_REFUSED: {
    summary: 'a route of the number refuses the call',
    cause: 'The first route of numbers[].inbound.routes that matched has refuse.',
    fix: 'Nothing to do when it is meant; causeway route test explains which route matched.',
    owner: 'user',
    retryable: true,
    sip: 480,
    q850: 21,
  },
})
