import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const
const full = { owner: 'user', retryable: true } as const

/** The targets of trunks: how they are configured, reached and limited. */
export const targetErrors = defineErrors({
  CALL_TRUNK_LIMIT: {
    summary: 'the limit of concurrent calls of the trunk is reached',
    cause: 'trunks[].limits.calls calls of this trunk are in progress.',
    fix: 'Raise trunks[].limits.calls, name an inbound.overflow trunk, or wait.',
    ...full,
    sip: 503,
    q850: 42,
  },
  CALL_NUMBER_FULL: {
    summary: 'the number takes no more calls at a time',
    cause: 'numbers[].limits.calls calls of this number are in progress.',
    fix: 'Raise numbers[].limits.calls, or wait.',
    ...full,
    sip: 503,
    q850: 42,
  },
  CALL_TARGET_SILENT: {
    summary: 'the target of the trunk answered nothing in time',
    cause:
      'It is down, or its address or transport is wrong; or no ringing and no refusal came within the share of inbound.ring_timeout that is its own, without a 100 within trunks[].failover.timeout.',
    fix: 'See why the PBX is gone or slow (causeway doctor --only pbx); where it takes longer to ring, raise trunks[].failover.timeout.',
    owner: 'pbx',
    retryable: true,
    sip: 480,
    q850: 18,
  },
  CALL_PBX_REDIRECT_REFUSED: {
    summary: 'the PBX redirects the call to where it may not go',
    cause:
      'The Contact of its 3xx names a host that is none of the trunk’s, more than five hosts, or one that was tried already.',
    fix: 'Add the host to trunks[].targets or accept.from, or allow all with trunks[].redirects: any.',
    owner: 'pbx',
    retryable: false,
    sip: 480,
    q850: 21,
  },
  CONFIG_TRUNK_TLS_HALF: {
    summary: 'a client certificate needs both cert and key',
    cause: 'trunks[].tls has one of the two files.',
    fix: 'Name the other file, too, or leave both out.',
    ...mistake,
  },
  CONFIG_TRUNK_TLS_UNUSED: {
    summary: 'trunks[].tls has no effect',
    cause: 'No target of the trunk has transport=tls.',
    fix: 'Add ;transport=tls to the targets, or remove the key.',
    ...mistake,
  },
  CONFIG_TRUNK_TLS_FOREIGN: {
    summary: 'trunks[].tls needs the embedded SIP server',
    cause:
      'A drachtio-server has one certificate and one list of authorities for all its connections, set on its own command line.',
    fix: 'Set them there (--cert-file, --key-file, --chain-file), or use sip.server: embedded.',
    ...mistake,
  },
  CONFIG_TRUNK_TLS_CONFLICT: {
    summary: 'one TLS target has two different tls sections',
    cause: 'A connection is made for a host and port, and may serve several trunks.',
    fix: 'Make trunks[].tls the same in both trunks.',
    ...mistake,
  },
  CONFIG_TARGET_TRANSPORT: {
    summary: 'no listener has the transport of a target',
    cause:
      'A request leaves from a listener of its own transport and address family; without one no call reaches the target.',
    fix: 'Add such a listener to sip.listen.pbx, or change the target.',
    ...mistake,
  },
  CONFIG_OPTIONS_TIMES: {
    summary: 'the OPTIONS ping cannot work with these times',
    cause: 'An interval is 0 or at least 1s, an answer may take from 500ms to 30s.',
    fix: 'Write times such as { interval: 30s, timeout: 4s }.',
    ...mistake,
  },
})
