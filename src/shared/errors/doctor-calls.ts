import { defineErrors } from './definition.ts'

/** Findings of `causeway doctor` about numbers, PBXs and media. */
export const doctorCallErrors = defineErrors({
  DOCTOR_TOKEN_SCOPE: {
    summary: 'the access token lacks a permission',
    cause:
      'Settings need whatsapp_business_management; the app that stores the server also needs whatsapp_business_messaging.',
    fix: 'Make a new system user token with both permissions and put it into numbers[].access_token.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_SRTP_MISFIT: {
    summary: 'the key exchange of the number does not fit',
    cause:
      'WhatsApp sends media as the number is set, DTLS unless SDES was set and kept; Causeway expects the other.',
    fix: 'calling: { srtp_key_exchange_protocol: SDES } and manage: apply, then causeway reload.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_HEALTH: {
    summary: 'WhatsApp reports that calls by SIP are blocked',
    cause: 'The health status of the number or the app says so; the evidence has its reason.',
    fix: 'Do what the evidence asks for in WhatsApp Manager or on developers.facebook.com.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_MESSAGING_LIMIT: {
    summary: 'the messaging limit is below 2000',
    cause:
      'Calling cannot be enabled below it (138015), nor enabled again after a password rotation.',
    fix: 'Raise the limit in WhatsApp Manager: Account tools, Messaging limits (verify the business).',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_COUNTRY: {
    summary: 'WhatsApp does not offer business-initiated calls in the number’s country',
    cause:
      'Numbers of the USA, Canada, Egypt, Vietnam and Nigeria take calls, but may not place them.',
    fix: 'Set trunks[].outbound.number to a number of another country, or remove it.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_QUALITY: {
    summary: 'the quality rating of the number is low',
    cause: 'Consumers block or report it; WhatsApp may restrict calling next.',
    fix: 'Look at Insights in WhatsApp Manager; answer calls, and ask before calling.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_CALL_BUTTON: {
    summary: 'the call button is hidden',
    cause: 'call_icon_visibility or call_icons hides it; consumers find no way to call.',
    fix: 'calling: { call_icon_visibility: DEFAULT }, or the call settings in WhatsApp Manager.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_WEBHOOK_SECRET: {
    summary: 'webhooks cannot be verified',
    cause:
      'whatsapp.webhooks lacks app_secret, which signs events, or verify_token of the handshake.',
    fix: 'Set whatsapp.webhooks.app_secret and verify_token (App settings, Basic, App secret).',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_WEBHOOK_DELIVERY: {
    summary: 'WhatsApp sends no call webhooks while SIP is enabled',
    cause: 'sip.webhook_delivery is DISABLED by default.',
    fix: 'calling: { sip: { webhook_delivery: ENABLED } } and manage: apply.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_PBX_SILENT: {
    summary: 'the PBX does not answer OPTIONS',
    cause: 'It is down, listens elsewhere or by another transport, or a firewall is in between.',
    fix: 'Check the address, port and transport in trunks[].targets, and that the PBX allows this machine.',
    owner: 'pbx',
    retryable: true,
  },
  DOCTOR_PBX_TLS: {
    summary: 'the TLS certificate of the PBX is not accepted',
    cause: 'It does not verify for the host in trunks[].targets.',
    fix: 'Give the PBX a certificate for that host; a private authority goes into trunks[].tls.ca, another name into trunks[].tls.server_name.',
    owner: 'pbx',
    retryable: false,
  },
  DOCTOR_PBX_TROUBLE: {
    summary: 'the PBX answers, but with a failure of its own',
    cause: 'It is starting, overloaded, or shutting down.',
    fix: 'Look at the log of the PBX.',
    owner: 'pbx',
    retryable: true,
  },
  DOCTOR_CODEC_MISFIT: {
    summary: 'number and trunk have no codec in common, and nothing converts',
    cause: 'WhatsApp offers Opus and the additional_codecs of the number; the trunk has others.',
    fix: 'opus in trunks[].media.codecs, PCMA in calling.audio.additional_codecs, or media.transcoding above 0.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_SRTP_TRUNK: {
    summary: 'the protection of the trunk does not fit the relay',
    cause: 'Without a relay SDP is passed through: both sides have to speak SDES-SRTP.',
    fix: 'trunks[].media.srtp: sdes on both sides, or media.relay: embedded.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_PORTS_TAKEN: {
    summary: 'other programs use ports of media.ports',
    cause: 'The evidence names them; Causeway passes over them, and they are missing for calls.',
    fix: 'See who has them with ss -lunp, or choose another range in media.ports.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_PORTS_NONE: {
    summary: 'media.ports has no free pair of ports',
    cause: 'Every even port of the range, or the odd one after it, is in use.',
    fix: 'Choose another range in media.ports; ss -lunp shows who has this one.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_MEDIA_ADDRESS: {
    summary: 'WhatsApp cannot reach the media address',
    cause: 'SDP tells WhatsApp a private address, or the sockets are on loopback.',
    fix: 'Set media.external_address to the public address, and media.listen to the inner one.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_UDP_BLOCKED: {
    summary: 'UDP does not come back',
    cause: 'The reflector’s answer was lost: a firewall drops UDP in one direction.',
    fix: 'Open media.ports and 10000-60000/udp outwards, both ways; or name another reflector.',
    owner: 'user',
    retryable: true,
  },
  DOCTOR_EXTERNAL_ADDRESS: {
    summary: 'we are seen under another address than media.external_address',
    cause: 'The provider changed the address, or traffic leaves by another line.',
    fix: 'Set media.external_address and sip.external_address to the address in the evidence.',
    owner: 'user',
    retryable: false,
  },
  DOCTOR_RTPENGINE: {
    summary: 'rtpengine does not answer',
    cause: 'It is down, or its ng port is another one.',
    fix: 'systemctl status rtpengine-daemon; compare listen-ng with media.rtpengine.',
    owner: 'user',
    retryable: true,
  },
})
