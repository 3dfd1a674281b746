import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const

/** Errors of the messages of calls, of HEP and of OpenTelemetry; part of the app and config areas. */
export const tracingErrors = defineErrors({
  APP_MESSAGES_OFF: {
    summary: 'the messages of calls are not kept',
    cause:
      'trace.messages is off, which is the default, or the SIP server is a drachtio-server elsewhere.',
    fix: 'Set trace.messages: calls, reload, and look at the next call; on a drachtio-server capture with tcpdump.',
    ...mistake,
  },
  APP_MESSAGES_NONE: {
    summary: 'no messages of this call are kept',
    cause:
      'The call ended before trace.messages was switched on, or its messages had to go for newer ones.',
    fix: 'Raise trace.calls or trace.memory when calls go too soon; the ladder is still there.',
    ...mistake,
  },
  APP_FILE_UNWRITABLE: {
    summary: 'the file cannot be written',
    cause: 'The folder does not exist, or this user may not write there, or the disk is full.',
    fix: 'Name another file with -o.',
    ...mistake,
  },
  APP_HEP_UNREACHABLE: {
    summary: 'the HEP collector takes no messages',
    cause: 'Nothing listens at trace.hep.target, its name does not resolve, or a firewall refuses.',
    fix: 'Start the collector (heplify-server, Homer), or correct trace.hep.target. Calls go on meanwhile.',
    owner: 'user',
    retryable: true,
  },
  APP_TELEMETRY_UNREACHABLE: {
    summary: 'the OpenTelemetry collector takes no spans',
    cause: 'Nothing answers at telemetry.endpoint, or it refuses the token.',
    fix: 'Start the collector, or correct telemetry.endpoint and telemetry.token. Calls go on meanwhile.',
    owner: 'user',
    retryable: true,
  },
  CONFIG_TRACE_BLIND: {
    summary: 'there are no messages to be traced',
    cause:
      'The SIP messages are in a drachtio-server elsewhere; only the embedded server can be tapped.',
    fix: 'Use sip.server: embedded, or remove the key and capture beside the drachtio-server.',
    ...mistake,
  },
  CONFIG_TRACE_NUMBERS: {
    summary: 'spans would tell phone numbers that the log masks',
    cause: 'telemetry.numbers is true and log.numbers is masked.',
    fix: 'Decide on one of the two.',
    ...mistake,
  },
})
