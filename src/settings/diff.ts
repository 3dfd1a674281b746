import { diffFeatures } from './diff-features.ts'
import { same } from './equal.ts'
import { DEFAULT_SIP_PORT, ownEntry, sameHost } from './servers.ts'
import type {
  CallingSettings,
  DesiredCalling,
  DesiredServer,
  SettingsDifference,
  SipServer,
} from './types.ts'

/**
 * Compares the fields of the configuration. A switch that is not reported counts as its documented
 * default (off); a server port that is not reported as 5061. `srtp_key_exchange_protocol` is not
 * reported until it is set and behaves as DTLS.
 */
export function diffSettings(
  actual: CallingSettings,
  desired: DesiredCalling,
): SettingsDifference[] {
  const out: SettingsDifference[] = []
  const compare = (path: string, is: unknown, wanted: unknown, unreported?: unknown): void => {
    if (!same(is ?? unreported, wanted)) out.push({ path, actual: is, desired: wanted })
  }
  compare('calling.status', actual.status, desired.status, 'DISABLED')
  compare(
    'calling.srtp_key_exchange_protocol',
    actual.srtp_key_exchange_protocol,
    desired.srtp_key_exchange_protocol,
    'DTLS',
  )
  compare('calling.sip.status', actual.sip.status, desired.sip.status, 'DISABLED')
  const { webhook_delivery } = desired.sip
  if (webhook_delivery) {
    compare(
      'calling.sip.webhook_delivery',
      actual.sip.webhook_delivery,
      webhook_delivery,
      'DISABLED',
    )
  }
  out.push(...diffServers(actual, desired.sip))
  if (desired.additional_codecs) {
    const codecs = [...desired.additional_codecs].sort()
    const is = actual.audio.additional_codecs
    if (!same([...new Set(is ?? [])].sort(), codecs)) {
      out.push({
        path: 'calling.audio.additional_codecs',
        actual: is,
        desired: desired.additional_codecs,
      })
    }
  }
  out.push(...diffFeatures(actual, desired))
  return out
}

/** Our app's entry against the one that is wanted; it may still carry an earlier host name. */
function diffServers(
  actual: CallingSettings,
  { hostname, server, remove }: DesiredCalling['sip'],
): SettingsDifference[] {
  const own = ownEntry(actual, hostname)
  if (!server) {
    if (!remove || !own) return []
    const path = `calling.sip.servers[${own.hostname}]`
    return [{ path, actual: plainServer(own), desired: undefined }]
  }
  const path = `calling.sip.servers[${server.hostname}]`
  if (own && sameHost(own.hostname, server.hostname)) return diffServer(path, own, server)
  return [{ path, actual: own && plainServer(own), desired: plainServer(server) }]
}

function diffServer(path: string, own: SipServer, server: DesiredServer): SettingsDifference[] {
  const out: SettingsDifference[] = []
  if ((own.port ?? DEFAULT_SIP_PORT) !== server.port) {
    out.push({ path: `${path}.port`, actual: own.port, desired: server.port })
  }
  const wanted = server.request_uri_user_params
  if (wanted && !same(own.request_uri_user_params ?? {}, wanted)) {
    const field = `${path}.request_uri_user_params`
    out.push({ path: field, actual: own.request_uri_user_params, desired: wanted })
  }
  return out
}

/** A server without its password. */
function plainServer({
  hostname,
  port,
  request_uri_user_params: params,
}: DesiredServer | SipServer): Record<string, unknown> {
  const fields = { hostname, port, request_uri_user_params: params }
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/**
 * Parts differences found after a write: fields that WhatsApp took but does not report cannot be
 * compared and are no failure.
 */
export function splitUnreported(differences: readonly SettingsDifference[]): {
  wrong: SettingsDifference[]
  unreported: SettingsDifference[]
} {
  return {
    wrong: differences.filter((difference) => !isUnreported(difference)),
    unreported: differences.filter(isUnreported),
  }
}

/**
 * Whether an answer may lack the field although it is set: details of our server, and features that
 * the documented answers do not show.
 */
function isUnreported({ path, actual }: SettingsDifference): boolean {
  return (
    actual === undefined &&
    (/\]\.(port|request_uri_user_params)$/.test(path) ||
      /^calling\.(voicemail|video|call_icons)\./.test(path) ||
      path === 'calling.call_hours.weekly_operating_hours')
  )
}
