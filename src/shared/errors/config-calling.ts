import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const

/** What WhatsApp's settings API would refuse in `numbers[].calling`, found before anything is sent. */
export const configCallingErrors = defineErrors({
  CONFIG_CALL_HOURS_INCOMPLETE: {
    summary: 'call_hours lacks a part that WhatsApp needs',
    cause:
      'Hours are written whole: with a time zone and at least one window, unless they are just switched off.',
    fix: 'Add the key; or keep nothing but status: DISABLED.',
    ...mistake,
  },
  CONFIG_HOURS_BACKWARDS: {
    summary: 'a window ends before it begins',
    cause: 'A window lies within one day, and its end comes after its begin.',
    fix: 'Correct the times; split hours that pass midnight into two days.',
    ...mistake,
  },
  CONFIG_HOURS_OVERLAP: {
    summary: 'two windows of a day overlap',
    cause: 'WhatsApp refuses windows of one day that have a time in common.',
    fix: 'Join the two windows, or move one of them.',
    ...mistake,
  },
  CONFIG_HOURS_TOO_MANY: {
    summary: 'a day has more than two windows',
    cause: 'WhatsApp takes two windows a day.',
    fix: 'Join windows until two are left.',
    ...mistake,
  },
  CONFIG_HOLIDAY_PAST: {
    summary: 'a holiday lies in the past',
    cause: 'WhatsApp refuses call_hours that name a past date, and all other hours with it.',
    fix: 'Remove the holiday, or write the date of its next occurrence.',
    ...mistake,
  },
  CONFIG_LISTED_TWICE: {
    summary: 'a list names the same thing twice',
    cause: 'The second entry contradicts the first, or adds nothing.',
    fix: 'Remove one of the two.',
    ...mistake,
  },
  CONFIG_SERVERS_DERIVED: {
    summary: 'sip.servers is derived and cannot be set',
    cause:
      'Causeway registers sip.domain with calling.sip.port; an empty list, which removes our server, needs SIP to be off.',
    fix: 'Remove the key; or set calling: { sip: { status: DISABLED, servers: [] } } to remove our server.',
    ...mistake,
  },
  CONFIG_VOICEMAIL_INCOMPLETE: {
    summary: 'voicemail lacks a part that WhatsApp needs',
    cause:
      'Enabled voicemail needs at least one trigger and an announcement, and the trigger TIMEOUT its seconds.',
    fix: 'Add the key, or set voicemail: { status: DISABLED }.',
    ...mistake,
  },
  CONFIG_VOICEMAIL_CALL_HOURS: {
    summary: 'voicemail and call hours exclude each other',
    cause: 'WhatsApp takes no voicemail while call hours are enabled.',
    fix: 'Set call_hours: { status: DISABLED }, or voicemail: { status: DISABLED }.',
    ...mistake,
  },
  CONFIG_VOICEMAIL_NO_CALLS: {
    summary: 'voicemail is enabled on a number that takes no calls',
    cause: 'Voicemail needs calling to be enabled.',
    fix: 'Set calling.status: ENABLED, or voicemail: { status: DISABLED }.',
    ...mistake,
  },
  CONFIG_READ_ONLY: {
    summary: 'this key is read only',
    cause: 'WhatsApp imposes restrictions on a number; they end by themselves and cannot be set.',
    fix: 'Remove the key; causeway numbers show tells what is restricted.',
    ...mistake,
  },
})
