import { configCallingErrors } from './config-calling.ts'
import { defineErrors } from './definition.ts'

const mistake = { owner: 'user', retryable: false } as const

/** Errors and warnings of the config area; every code starts with `CONFIG_`. */
export const configErrors = defineErrors({
  ...configCallingErrors,
  CONFIG_FILE_UNREADABLE: {
    summary: 'the configuration file cannot be read',
    cause: 'The file does not exist, or this user may not read it.',
    fix: 'Name the file with -c, or correct its permissions.',
    ...mistake,
  },
  CONFIG_YAML_SYNTAX: {
    summary: 'the file is not valid YAML',
    cause:
      'Indentation, quotes, brackets or a tab confuse the parser; nothing after it was checked.',
    fix: 'Correct the line shown. Indent with spaces, and quote text that holds : # or brackets.',
    ...mistake,
  },
  CONFIG_DUPLICATE_KEY: {
    summary: 'a key stands twice in one mapping',
    cause: 'YAML would silently let one of them win.',
    fix: 'Remove one of the two.',
    ...mistake,
  },
  CONFIG_UNKNOWN_KEY: {
    summary: 'unknown key',
    cause: 'A key nobody reads is a typing error, or it is indented below the wrong parent.',
    fix: 'Correct or remove the key; `causeway config schema` and the configuration reference list all of them.',
    ...mistake,
  },
  CONFIG_MISSING_KEY: {
    summary: 'a required key is missing',
    cause: 'Causeway has no sensible default for it.',
    fix: 'Add the key.',
    ...mistake,
  },
  CONFIG_WRONG_TYPE: {
    summary: 'the value has the wrong type',
    cause: 'Text, number, list or mapping stands where another of them is expected.',
    fix: 'Write the value as expected.',
    ...mistake,
  },
  CONFIG_NOT_QUOTED: {
    summary: 'the value needs quotes',
    cause:
      'Without quotes YAML reads it as a number or a truth value and loses plus signs and zeros.',
    fix: 'Put the value in double quotes.',
    ...mistake,
  },
  CONFIG_BAD_VALUE: {
    summary: 'the value is not acceptable',
    cause: 'The value has the right type, but not the form or range the key needs.',
    fix: 'Write the value as expected.',
    ...mistake,
  },
  CONFIG_VARIABLE_UNSET: {
    summary: 'an environment variable is not set',
    cause: `The file names it as \${VAR} and gives no default.`,
    fix: `Set the variable for the process, or write \${VAR:-default}.`,
    ...mistake,
  },
  CONFIG_VARIABLE_SYNTAX: {
    summary: 'a variable reference is malformed',
    cause: `Only \${NAME} and \${NAME:-default} are understood.`,
    fix: `Correct the reference, or write $\${ for a literal \${.`,
    ...mistake,
  },
  CONFIG_SECRET_TWICE: {
    summary: 'a secret is given both as value and as file',
    cause: 'The key and its _file twin are set, and they may differ.',
    fix: 'Keep one of the two.',
    ...mistake,
  },
  CONFIG_SECRET_FILE: {
    summary: 'the file of a secret cannot be used',
    cause: 'The file is missing, empty or not readable by this user.',
    fix: 'Correct the path (relative to the configuration file) or the permissions.',
    ...mistake,
  },
  CONFIG_RECORDS_SECRET: {
    summary: 'the key of the records is not 32 octets',
    cause:
      'Passwords at rest are encrypted with AES-256, whose key has 32 octets in hex or base64.',
    fix: 'Make one with: openssl rand -hex 32',
    ...mistake,
  },
  CONFIG_TLS_MISSING: {
    summary: 'a TLS listener has no certificate',
    cause: 'A listener is tls://, but sip.tls names no certificate and key.',
    fix: 'Set sip.tls.cert and sip.tls.key.',
    ...mistake,
  },
  CONFIG_LISTENER_TWICE: {
    summary: 'two listeners use the same address',
    cause:
      'Only one socket can be bound to a protocol, address and port; TLS shares the ports of TCP.',
    fix: 'Give each listener a port or address of its own.',
    ...mistake,
  },
  CONFIG_DUPLICATE_NAME: {
    summary: 'a name or number is used twice',
    cause: 'Numbers and trunks are found by name, phone number and ID, so each must be unique.',
    fix: 'Rename or remove one of the two.',
    ...mistake,
  },
  CONFIG_NAME_IS_NUMBER: {
    summary: 'a name tells a phone number',
    cause:
      'Names are labels of metrics and stay in masked logs, where no phone number may stand; this one holds the digits of a number of the file.',
    fix: 'Give it a name that says what it is for.',
    ...mistake,
  },
  CONFIG_UNKNOWN_TRUNK: {
    summary: 'no trunk has this name',
    cause: 'The name is not among trunks[].name.',
    fix: 'Correct the name, or add the trunk.',
    ...mistake,
  },
  CONFIG_UNKNOWN_NUMBER: {
    summary: 'no number has this name',
    cause: 'The name is not among numbers[].name.',
    fix: 'Correct the name, or add the number.',
    ...mistake,
  },
  CONFIG_OVERFLOW_SAME: {
    summary: 'overflow leads to a trunk that was tried already',
    cause: 'A call that failed on a trunk would be sent to the same trunk again.',
    fix: 'Name each trunk of a chain once.',
    ...mistake,
  },
  CONFIG_RTPENGINE_MISSING: {
    summary: 'rtpengine is chosen but has no address',
    cause: 'media.relay is rtpengine and media.rtpengine is empty.',
    fix: 'List the control addresses, for example rtpengine: [udp://127.0.0.1:22222].',
    ...mistake,
  },
  CONFIG_CREDENTIALS_HALF: {
    summary: 'user name and password belong together',
    cause: 'One of the two is set without the other.',
    fix: 'Set both (the password may be a password_file), or neither.',
    ...mistake,
  },
  CONFIG_PERMISSIONS_MESSAGE: {
    summary: 'the permission request message is not clear',
    cause: 'It is a template with its language, or a text, and only mode request sends it.',
    fix: 'Keep template and language, or text, under mode: request.',
    ...mistake,
  },
  CONFIG_PERMISSIONS_PROVIDER: {
    summary: 'permissions cannot be checked at 360dialog',
    cause: '360dialog does not document where its API has call_permissions.',
    fix: 'Remove permissions from the trunk; WhatsApp itself refuses calls without permission.',
    ...mistake,
  },
  CONFIG_PERMISSIONS_TOKEN: {
    summary: 'permissions cannot be checked without an access token',
    cause: 'The number of the trunk has no access_token: its calls will go out unchecked.',
    fix: 'Set numbers[].access_token, or remove permissions from the trunk.',
    ...mistake,
  },
  CONFIG_TRUNK_UNREACHABLE: {
    summary: 'a trunk has neither targets nor a registration',
    cause: 'Causeway would not know where to send a call.',
    fix: 'List the addresses of the PBX in targets, or set register or accept.registrations.',
    ...mistake,
  },
  CONFIG_TOKEN_MISSING: {
    summary: 'a managed number has no access token',
    cause: 'Its settings and SIP password are fetched from the API with that token.',
    fix: 'Set access_token (or access_token_file); or set manage: off and a sip_password.',
    ...mistake,
  },
  CONFIG_NOT_MANAGED: {
    summary: 'settings cannot be managed without an access token',
    cause: 'The number has a sip_password but no access_token, so manage acts as off.',
    fix: 'Set access_token, or manage: off.',
    ...mistake,
  },
  CONFIG_NO_CREDENTIALS: {
    summary: 'a number has neither access token nor SIP password',
    cause: 'Without one of them calls can be neither made nor challenged.',
    fix: 'Set access_token to have the password fetched, or sip_password.',
    ...mistake,
  },
  CONFIG_NO_EFFECT: {
    summary: 'this key has no effect with the media relay chosen',
    cause: 'Another relay would use it; the one in media.relay does not.',
    fix: 'Remove the key, or choose the relay it belongs to.',
    ...mistake,
  },
  CONFIG_MEDIA_ADDRESS: {
    summary: 'the relay has no address to name in its SDP',
    cause:
      'media.listen is a wildcard, by itself or by default, and media.external_address is not set.',
    fix: 'Set media.listen to the address of this machine the PBX and WhatsApp can reach.',
    ...mistake,
  },
  CONFIG_PORTS_FEW: {
    summary: 'media.ports does not suffice for limits.calls',
    cause: 'A call takes up to four UDP ports, and released ones rest for some seconds.',
    fix: 'Widen media.ports or lower limits.calls.',
    ...mistake,
  },
  CONFIG_DTLS_NEEDS_ICE: {
    summary: 'the embedded relay speaks DTLS-SRTP with ICE only',
    cause: 'A PBX that uses DTLS without ICE is refused with MEDIA_DTLS_WITHOUT_ICE.',
    fix: 'Enable ICE on the PBX trunk (Asterisk: webrtc=yes), use srtp: sdes, or media.relay: rtpengine.',
    ...mistake,
  },
  CONFIG_CODEC_NEEDS_RTPENGINE: {
    summary: 'the media relay cannot convert this codec',
    cause: 'WhatsApp has no G.722, and only rtpengine converts it to Opus.',
    fix: 'Remove G722 from the trunk’s codecs, or set media.relay: rtpengine.',
    ...mistake,
  },
  CONFIG_DTMF_RTPENGINE: {
    summary: 'dtmf: info needs an rtpengine that tells of keypresses',
    cause:
      'rtpengine tells of them from version 11.3, and only while audio is passed through; where it is converted, or older, no INFO is sent.',
    fix: 'Use dtmf: rfc4733, which needs none of this, or media.relay: embedded.',
    ...mistake,
  },
  CONFIG_SDES_NEEDED: {
    summary: 'without a media relay the PBX leg needs SDES-SRTP',
    cause:
      'The SDP is passed through, and WhatsApp’s media is always encrypted; plain RTP and DTLS on the PBX leg cannot work.',
    fix: 'Set media: { srtp: sdes } on the trunk and enable SDES-SRTP in the PBX.',
    ...mistake,
  },
  CONFIG_WHATSAPP_DTLS: {
    summary: 'without a media relay WhatsApp’s leg needs SDES',
    cause:
      'WhatsApp offers DTLS-SRTP with ICE unless the number is set to SDES, and the PBX would have to speak both.',
    fix: 'Set calling: { srtp_key_exchange_protocol: SDES } on the number.',
    ...mistake,
  },
  CONFIG_DOMAIN_IS_ADDRESS: {
    summary: 'sip.domain is an IP address',
    cause: 'WhatsApp dials a host name that a public certificate covers.',
    fix: 'Use a fully qualified domain name; an address is for labs only.',
    ...mistake,
  },
  CONFIG_WHATSAPP_NOT_TLS: {
    summary: 'the listener for WhatsApp is not TLS',
    cause: 'WhatsApp connects over TLS only; other transports reach a simulator at most.',
    fix: 'Use tls:// outside of a lab.',
    ...mistake,
  },
  CONFIG_UNGUARDED: {
    summary: 'anybody can pose as WhatsApp',
    cause: 'whatsapp.sources is any and whatsapp.challenge is false.',
    fix: 'Set sources: meta or challenge: true outside of a lab.',
    ...mistake,
  },
  CONFIG_OPEN_TRUNK: {
    summary: 'anybody can call out through a trunk',
    cause: 'accept.from covers every address, so no call is challenged.',
    fix: 'Narrow accept.from to the PBX, or use accept.username and accept.password instead.',
    ...mistake,
  },
  CONFIG_NO_CALLERS: {
    summary: 'no call from the PBX will be accepted on a trunk',
    cause: 'accept names no network and no user, and targets holds no IP address to go by.',
    fix: 'Set accept.from to the networks of the PBX, or accept.username and accept.password.',
    ...mistake,
  },
  CONFIG_ACCEPT_OVERLAP: {
    summary: 'two trunks accept calls from the same network',
    cause: 'A call from there fits both, and the first trunk in the file gets it.',
    fix: 'Give each trunk networks of its own, or tell them apart by accept.username.',
    ...mistake,
  },
  CONFIG_API_LOOPBACK_ONLY: {
    summary: 'the API answers on loopback only',
    cause: 'http.listen is reachable from outside, but no http.token is set.',
    fix: 'Set http.token, or listen on 127.0.0.1.',
    ...mistake,
  },
  CONFIG_RING_TIMEOUT_LONG: {
    summary: 'ring_timeout is longer than WhatsApp waits',
    cause: 'WhatsApp gives up a call that nobody answers after 30 to 60 seconds.',
    fix: 'Set ring_timeout to 60s or less, so that overflow still has its turn.',
    ...mistake,
  },
  CONFIG_NO_INBOUND: {
    summary: 'calls to a number will be refused',
    cause: 'The number has no inbound section that names a trunk.',
    fix: 'Add inbound: { trunk: … }, or disable calling for the number.',
    ...mistake,
  },
  CONFIG_NOTHING_TO_CARRY: {
    summary: 'no calls can be carried',
    cause: 'The file lists no numbers or no trunks.',
    fix: 'Add at least one entry to numbers and to trunks.',
    ...mistake,
  },
  CONFIG_WEBHOOKS_HALF: {
    summary: 'whatsapp.webhooks lacks a secret',
    cause:
      'WhatsApp proves itself by the signature, and Causeway by the verify token; both are needed.',
    fix: 'Set app_secret (from the settings of the app) and verify_token (any text, the same in the app dashboard).',
    ...mistake,
  },
  CONFIG_WEBHOOKS_PATH: {
    summary: 'the path of the webhooks is taken',
    cause: 'Health, metrics or the API answer there.',
    fix: 'Choose another path, such as /webhooks/whatsapp.',
    ...mistake,
  },
  CONFIG_RECORDS_PUSH: {
    summary: 'records.push needs the history of calls',
    cause:
      'What is still to be delivered is kept in the history, which records.history: false turns off.',
    fix: 'Remove history: false, or push; events.webhooks work without a history.',
    ...mistake,
  },
  CONFIG_EVENT_SECRET: {
    summary: 'a target of events or records has no secret',
    cause: 'Everything that is sent is signed, so that the target can tell it from a forged one.',
    fix: 'Set secret (or secret_file) to a long random text that the target knows too.',
    ...mistake,
  },
  CONFIG_EVENT_PLAIN: {
    summary: 'events or records travel unencrypted',
    cause:
      'The URL of the target is http:// and leaves this machine; what is sent holds phone numbers.',
    fix: 'Use an https:// URL.',
    ...mistake,
  },
  CONFIG_FILE_MISSING: {
    summary: 'a file the configuration names cannot be read',
    cause:
      'The file is missing or not readable by this user; listeners and connections that need it will fail.',
    fix: 'Correct the path (relative to the configuration file) or the permissions.',
    ...mistake,
  },
})
