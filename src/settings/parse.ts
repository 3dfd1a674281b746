import { Secret } from '../shared/secret.ts'
import { parseCallHours } from './parse-call-hours.ts'
import type {
  CallIcons,
  CallingSettings,
  Restriction,
  SettingsDocument,
  SipServer,
  SrtpProtocol,
  Toggle,
  Voicemail,
} from './types.ts'
import { integerOf, isObject, type JsonObject, objectsOf, restOf, textOf } from './wire.ts'

const KNOWN = [
  'status',
  'call_icon_visibility',
  'call_icons',
  'callback_permission_status',
  'srtp_key_exchange_protocol',
  'sip',
  'audio',
  'call_hours',
  'voicemail',
  'video',
  'restrictions',
]
const KNOWN_SERVER = [
  'hostname',
  'port',
  'request_uri_user_params',
  'app_id',
  'sip_user_password',
  'password',
]

/**
 * Reads the answer of `GET …/settings` in any of the three dialects: Meta's, the lower-case v23
 * mirror's and 360dialog's. Lenient: spelling is case-insensitive, numbers may be strings, missing
 * fields are undefined. A number that never had calling configured has no `calling` at all.
 *
 * @returns undefined when the answer is no settings object.
 */
export function parseSettings(body: unknown): CallingSettings | undefined {
  return parseDocument(body)?.calling
}

/**
 * Reads the same answer with the other feature groups of the endpoint, such as `payload_encryption`
 * and `storage_configuration`: they are shown and never written.
 */
export function parseDocument(body: unknown): SettingsDocument | undefined {
  if (!isObject(body)) return undefined
  const { calling = {} } = body
  if (!isObject(calling)) return undefined
  return { calling: parseCalling(calling), groups: restOf(body, ['calling']) }
}

/** Reads a `calling` object, from the settings or from an `account_settings_update` webhook. */
export function parseCalling(calling: JsonObject): CallingSettings {
  const sip = isObject(calling['sip']) ? calling['sip'] : {}
  const audio = isObject(calling['audio']) ? calling['audio'] : {}
  return {
    status: toggleOf(calling['status']),
    call_icon_visibility: visibilityOf(calling['call_icon_visibility']),
    ...(upperOf(calling['call_icon_visibility']) === 'HIDDEN' ? { call_icon_hidden: true } : {}),
    call_icons: iconsOf(calling['call_icons']),
    callback_permission_status: toggleOf(calling['callback_permission_status']),
    srtp_key_exchange_protocol: srtpOf(calling['srtp_key_exchange_protocol']),
    sip: {
      status: toggleOf(sip['status']),
      webhook_delivery: toggleOf(sip['webhook_delivery']),
      servers: objectsOf(sip['servers']).map(parseServer),
      other: restOf(sip, ['status', 'webhook_delivery', 'servers']),
    },
    audio: {
      additional_codecs: wordsOf(audio['additional_codecs']),
      other: restOf(audio, ['additional_codecs']),
    },
    call_hours: parseCallHours(calling['call_hours']),
    voicemail: voicemailOf(calling['voicemail']),
    video: videoOf(calling['video']),
    restrictions: restrictionsOf(calling['restrictions']),
    other: restOf(calling, KNOWN),
  }
}

function parseServer(server: JsonObject): SipServer {
  // The v23 mirror calls the password `password`.
  const password = server['sip_user_password'] ?? server['password']
  return {
    hostname: textOf(server['hostname']) ?? '',
    port: integerOf(server['port']),
    request_uri_user_params: paramsOf(server['request_uri_user_params']),
    app_id: textOf(server['app_id']),
    sip_user_password:
      typeof password === 'string' && password !== '' ? new Secret(password) : undefined,
    other: restOf(server, KNOWN_SERVER),
  }
}

/** ENABLED or DISABLED in any case; undefined for anything else. */
export function toggleOf(value: unknown): Toggle | undefined {
  const upper = upperOf(value)
  return upper === 'ENABLED' || upper === 'DISABLED' ? upper : undefined
}

function srtpOf(value: unknown): SrtpProtocol | undefined {
  const upper = upperOf(value)?.replace(/-SRTP$/, '')
  return upper === 'DTLS' || upper === 'SDES' ? upper : undefined
}

function visibilityOf(value: unknown): string | undefined {
  const upper = upperOf(value)
  if (upper === 'VISIBLE') return 'DEFAULT'
  return upper === 'HIDDEN' ? 'DISABLE_ALL' : upper
}

/** A list of words in capitals: codecs, countries, triggers. */
function wordsOf(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.flatMap((word) => upperOf(word) ?? []) : undefined
}

function iconsOf(value: unknown): CallIcons | undefined {
  if (!isObject(value)) return undefined
  return {
    restrict_to_user_countries: wordsOf(value['restrict_to_user_countries']),
    other: restOf(value, ['restrict_to_user_countries']),
  }
}

function voicemailOf(value: unknown): Voicemail | undefined {
  if (!isObject(value)) return undefined
  const audio = isObject(value['audio']) ? value['audio'] : {}
  const standard = isObject(audio['default']) ? audio['default'] : {}
  return {
    status: toggleOf(value['status']),
    triggers: wordsOf(value['triggers']),
    announcement_media_id: textOf(standard['announcement_media_id']),
    timeout_seconds: integerOf(standard['timeout_seconds']),
    other: restOf(value, ['status', 'triggers', 'audio']),
    otherAudio: restOf(audio, ['default']),
    otherDefault: restOf(standard, ['announcement_media_id', 'timeout_seconds']),
  }
}

function videoOf(value: unknown): CallingSettings['video'] {
  if (!isObject(value)) return undefined
  return { status: toggleOf(value['status']), other: restOf(value, ['status']) }
}

function paramsOf(value: unknown): Record<string, string> | undefined {
  if (!isObject(value)) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, textOf(v) ?? '']))
}

/** The table says `restriction_list`, the sample `restrictions_list`, the mirror `restrictions`. */
function restrictionsOf(value: unknown): Restriction[] {
  if (!isObject(value)) return []
  const list = value['restrictions_list'] ?? value['restriction_list'] ?? value['restrictions']
  return objectsOf(list).map((entry) => ({
    type: upperOf(entry['type']) ?? '',
    reason: textOf(entry['reason']),
    expiration: integerOf(entry['expiration']),
  }))
}

function upperOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.trim().toUpperCase() : undefined
}
