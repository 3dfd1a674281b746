import { defineErrors } from './definition.ts'
import { graphErrors } from './graph.ts'
import { settingsRecordErrors } from './settings-records.ts'

/** Errors of the settings area; every code starts with `SETTINGS_`. */
export const settingsErrors = defineErrors({
  ...graphErrors,
  ...settingsRecordErrors,
  SETTINGS_TOKEN_MISSING: {
    summary: 'No access token for the number',
    cause: 'The settings of the number cannot be read without a token of an app that may see it.',
    fix: 'Set numbers[].access_token, or set manage: off together with sip_password.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_CA_UNREADABLE: {
    summary: 'The additional trust anchor cannot be used',
    cause: 'The file whatsapp.ca names is missing, unreadable or not PEM.',
    fix: 'Point whatsapp.ca at a PEM file with certificates, or remove the key.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_UNREACHABLE: {
    summary: 'The Graph API cannot be reached',
    cause: 'The name did not resolve, or the connection was refused, reset or cut off.',
    fix: 'Check DNS, the firewall and whatsapp.graph_url; Causeway keeps trying.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_TLS: {
    summary: 'The certificate of the Graph API was not accepted',
    cause: 'The chain or the host name of the certificate does not verify, often behind a proxy.',
    fix: 'Check whatsapp.graph_url; add a private authority with whatsapp.ca.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_TIMEOUT: {
    summary: 'The Graph API did not answer in time',
    cause: 'No complete answer came within the time limit of one request.',
    fix: 'Check the network path; Causeway keeps trying.',
    owner: 'whatsapp',
    retryable: true,
  },
  SETTINGS_MALFORMED_RESPONSE: {
    summary: 'The Graph API answered with something unintelligible',
    cause: 'The answer was not the JSON of the settings API, often a proxy or a wrong graph_url.',
    fix: 'Check whatsapp.graph_url and whatsapp.provider.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_WRITE_REFUSED: {
    summary: 'The settings were not accepted',
    cause: 'The answer to the write was well formed but did not say success.',
    fix: 'Restart or reload Causeway: it reads the settings again and repeats the write.',
    owner: 'whatsapp',
    retryable: true,
  },
  SETTINGS_NOT_APPLIED: {
    summary: 'A setting differs after it was written',
    cause: 'The settings read back after the write do not show every value that was written.',
    fix: 'Compare the listed fields in WhatsApp Manager; another app may write the same number.',
    owner: 'whatsapp',
    retryable: true,
  },
  SETTINGS_SRTP_NOT_KEPT: {
    summary: 'The SRTP key exchange cannot be set',
    cause: 'srtp_key_exchange_protocol differs even after it was sent a second time by itself.',
    fix: 'Set the key exchange in WhatsApp Manager or ask WhatsApp support; calls would have no audio.',
    owner: 'whatsapp',
    retryable: true,
  },
  SETTINGS_CREDENTIALS_MISSING: {
    summary: 'The settings hold no SIP password for our host name',
    cause:
      'No server entry for sip.domain exists, or another app stored it and keeps its password.',
    fix: 'Use the token of the app that stored the server, set manage: apply, or set sip_password.',
    owner: 'user',
    retryable: true,
  },
  SETTINGS_DRIFT: {
    summary: 'The settings differ from the configuration',
    cause: 'Somebody changed them elsewhere, or they were never applied.',
    fix: 'Set manage: apply and reload, or change the configuration to what the number has.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_FOREIGN_SERVER: {
    summary: 'Another SIP server is configured on the number',
    cause: 'Another app stored a server; with several, a BYE from any of them ends the call.',
    fix: 'Write sip.servers: [] with a token of the app that stored it; Causeway never touches it.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_UNVERIFIED: {
    summary: 'A setting is not reported, so it cannot be compared',
    cause: 'The Graph API takes the field in writes but does not show it when it is read.',
    fix: 'Nothing, unless calls do not arrive as configured.',
    owner: 'whatsapp',
    retryable: false,
  },
  SETTINGS_VOICEMAIL_CALL_HOURS: {
    summary: 'Voicemail and call hours exclude each other',
    cause: 'One of the two is enabled on the number and absent from the configuration.',
    fix: 'Add call_hours: { status: DISABLED } or voicemail: { status: DISABLED } to the number.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_PORT_UNKNOWN: {
    summary: 'The port WhatsApp should dial is not known',
    cause: 'sip.listen.whatsapp leaves the port to the system, and no instance is asked for it.',
    fix: 'Set calling.sip.port on the number, or a port in sip.listen.whatsapp.',
    owner: 'user',
    retryable: false,
  },
  SETTINGS_RESTRICTED: {
    summary: 'WhatsApp restricts calling on the number',
    cause: 'Negative feedback or a low pick-up rate paused one direction of calls for a while.',
    fix: 'Answer calls, ask consumers before calling, and wait until the restriction expires.',
    owner: 'user',
    retryable: false,
  },
})
