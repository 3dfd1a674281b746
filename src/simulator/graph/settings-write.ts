import type { SimulatedApp, SimulatedCalling, SimulatedNumber, SimulatedServer } from '../store.ts'
import { GraphFailure, invalid } from './failure.ts'
import { isOn, writeFeatures } from './features.ts'
import { isObject, objectIn, oneOf, toggleIn } from './values.ts'

/**
 * How the key exchange reacts to a write of `sip`: never touched; reset to DTLS when the write does
 * not name it (one field report); reset even when it does, so that only a write of it alone sticks;
 * or never kept at all.
 */
export type SrtpReset = 'off' | 'omitted' | 'always' | 'stubborn'

const CALLING_KEYS = [
  'status',
  'call_icon_visibility',
  'call_icons',
  'call_hours',
  'callback_permission_status',
  'sip',
  'srtp_key_exchange_protocol',
  'audio',
  'voicemail',
  'video',
]
const MAX_PARAM = 128

/** What one write changed, for the webhook `account_settings_update`. */
export interface WriteResult {
  /** Whether one of the five fields that fire the webhook changed. */
  announced: boolean
}

/**
 * Checks and applies the `calling` object of one `POST …/settings`; on any failure nothing changes.
 *
 * @param today `YYYY-MM-DD`, for holidays
 * @throws GraphFailure 100, 138015, 138018
 */
export function writeCalling(
  number: SimulatedNumber,
  app: SimulatedApp,
  input: unknown,
  options: { srtpReset: SrtpReset; today: string },
): WriteResult {
  const body = objectIn(input, 'calling', CALLING_KEYS)
  const before = number.calling
  const after: SimulatedCalling = {
    ...before,
    servers: new Map(before.servers),
    other: { ...before.other },
  }
  const srtp = oneOf(body['srtp_key_exchange_protocol'], 'srtp_key_exchange_protocol', {
    DTLS: 'DTLS' as const,
    SDES: 'SDES' as const,
    'DTLS-SRTP': 'DTLS' as const,
    'SDES-SRTP': 'SDES' as const,
  })
  after.status = toggleIn(body['status'], 'status') ?? before.status
  after.srtp = srtp ?? before.srtp
  if (body['sip'] !== undefined) {
    writeSip(after, app, body['sip'])
    const { srtpReset } = options
    if (srtpReset === 'always' || (srtpReset === 'omitted' && !srtp)) after.srtp = 'DTLS'
  }
  if (srtp && options.srtpReset === 'stubborn') after.srtp = 'DTLS'
  if (body['audio'] !== undefined) after.additionalCodecs = codecsIn(body['audio'])
  writeFeatures(after.other, body, options.today)
  if (
    body['voicemail'] !== undefined &&
    isOn(after.other['voicemail']) &&
    after.status !== 'ENABLED'
  ) {
    throw invalid('Voicemail needs calling to be enabled')
  }
  checkPreconditions(number, before, after)
  rotate(number, app, before, after)
  number.calling = after
  return { announced: announces(before, after) }
}

function writeSip(after: SimulatedCalling, app: SimulatedApp, value: unknown): void {
  const sip = objectIn(value, 'calling[sip]', ['status', 'webhook_delivery', 'servers'])
  after.sipStatus = toggleIn(sip['status'], 'sip status') ?? after.sipStatus
  const delivery = toggleIn(sip['webhook_delivery'], 'sip webhook_delivery')
  after.webhookDelivery = delivery ?? after.webhookDelivery
  if (sip['servers'] !== undefined) {
    const servers = sip['servers']
    if (!Array.isArray(servers)) throw invalid('Param sip[servers] must be an array')
    if (servers.length > 1) throw invalid('Only one SIP server can be configured per app')
    // A write concerns the servers of the writing app alone.
    if (servers.length === 0) after.servers.delete(app.appId)
    else after.servers.set(app.appId, serverIn(servers[0], app.appId))
  }
  if (after.sipStatus === 'ENABLED' && after.servers.size === 0) {
    throw invalid('At least one SIP server must be configured while SIP is ENABLED')
  }
}

function serverIn(value: unknown, appId: string): SimulatedServer {
  const server = objectIn(value, 'servers', ['hostname', 'port', 'request_uri_user_params'])
  const hostname = server['hostname']
  if (typeof hostname !== 'string' || !/^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/.test(hostname)) {
    throw invalid('Invalid SIP server hostname')
  }
  const port = Number(server['port'] ?? 5061)
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid('Invalid SIP server port')
  const params = server['request_uri_user_params'] ?? {}
  if (!isObject(params)) throw invalid('request_uri_user_params must be a JSON object')
  const requestUriUserParams: Record<string, string> = {}
  for (const [key, text] of Object.entries(params)) {
    if (typeof text !== 'string' || text.length > MAX_PARAM || key.length > MAX_PARAM) {
      throw invalid(`request_uri_user_params keys and values must be at most ${MAX_PARAM} chars`)
    }
    requestUriUserParams[key] = text
  }
  return { appId, hostname, port, requestUriUserParams }
}

function codecsIn(value: unknown): ('PCMA' | 'PCMU')[] {
  const audio = objectIn(value, 'calling[audio]', ['additional_codecs'])
  const codecs = audio['additional_codecs']
  if (!Array.isArray(codecs)) throw invalid('additional_codecs must be an array')
  return codecs.map((codec) => {
    if (codec !== 'PCMA' && codec !== 'PCMU') {
      throw invalid('Invalid additional_codecs: must be one of {PCMA, PCMU}')
    }
    return codec
  })
}

/** Calling starts only with a messaging limit of 2000 and either SIP or the calls webhook. */
function checkPreconditions(
  number: SimulatedNumber,
  before: SimulatedCalling,
  after: SimulatedCalling,
): void {
  if (after.status !== 'ENABLED' || before.status === 'ENABLED') return
  if (number.messagingLimit < 2000) {
    throw new GraphFailure(400, 138015, 'The messaging limit of the number is below 2000')
  }
  if (!number.callsWebhook && after.sipStatus !== 'ENABLED') {
    throw new GraphFailure(
      400,
      138018,
      'WhatsApp Business calling cannot be enabled because technical pre-requisites are not met',
    )
  }
}

/** Removing the server with calling and SIP both off is the documented way to a new password. */
function rotate(
  number: SimulatedNumber,
  app: SimulatedApp,
  before: SimulatedCalling,
  after: SimulatedCalling,
): void {
  const removed = before.servers.has(app.appId) && !after.servers.has(app.appId)
  const off = after.status === 'DISABLED' && after.sipStatus === 'DISABLED'
  if (removed && off) number.passwords.delete(app.appId)
}

function announces(before: SimulatedCalling, after: SimulatedCalling): boolean {
  return (
    before.status !== after.status ||
    before.sipStatus !== after.sipStatus ||
    before.srtp !== after.srtp ||
    before.other['call_icon_visibility'] !== after.other['call_icon_visibility'] ||
    before.other['callback_permission_status'] !== after.other['callback_permission_status']
  )
}
