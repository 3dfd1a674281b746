import { DEFAULT_SIP_PORT, ownServer } from './servers.ts'
import type {
  CallingPatch,
  CallingSettings,
  DesiredCalling,
  DesiredServer,
  SettingsDifference,
  SipServer,
} from './types.ts'

/**
 * Compares the managed fields. A switch that is not reported counts as its documented default
 * (off); a server port that is not reported as 5061. `srtp_key_exchange_protocol` is not reported
 * until it is set and behaves as DTLS.
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
  const { webhook_delivery, server } = desired.sip
  if (webhook_delivery) {
    compare(
      'calling.sip.webhook_delivery',
      actual.sip.webhook_delivery,
      webhook_delivery,
      'DISABLED',
    )
  }
  if (server) {
    const own = ownServer(actual, server.hostname)
    const path = `calling.sip.servers[${server.hostname}]`
    if (own) out.push(...diffServer(path, own, server))
    else out.push({ path, actual: undefined, desired: plainServer(server) })
  }
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
  return out
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

/**
 * The smallest write that removes the differences, as one `calling` object. `sip` is written whole,
 * and never without the key exchange: WhatsApp has been seen to fall back to DTLS otherwise. User
 * parameters the configuration does not name are carried along, since an entry is replaced whole.
 *
 * @returns undefined when nothing differs.
 */
export function patchFor(
  differences: readonly SettingsDifference[],
  actual: CallingSettings,
  desired: DesiredCalling,
): CallingPatch | undefined {
  if (differences.length === 0) return undefined
  const differs = (prefix: string): boolean =>
    differences.some(({ path }) => path.startsWith(`calling.${prefix}`))
  const sip = differs('sip')
  return {
    ...(differs('status') ? { status: desired.status } : {}),
    ...(sip || differs('srtp')
      ? { srtp_key_exchange_protocol: desired.srtp_key_exchange_protocol }
      : {}),
    ...(sip ? { sip: sipPatch(actual, desired) } : {}),
    ...(differs('audio') && desired.additional_codecs
      ? { audio: { additional_codecs: desired.additional_codecs } }
      : {}),
  }
}

function sipPatch(
  actual: CallingSettings,
  desired: DesiredCalling,
): NonNullable<CallingPatch['sip']> {
  const { status, webhook_delivery, server } = desired.sip
  return {
    status,
    ...(webhook_delivery ? { webhook_delivery } : {}),
    ...(server ? { servers: [serverPatch(actual, server)] } : {}),
  }
}

function serverPatch(actual: CallingSettings, server: DesiredServer) {
  const params =
    server.request_uri_user_params ?? ownServer(actual, server.hostname)?.request_uri_user_params
  return {
    hostname: server.hostname,
    port: server.port,
    ...(params ? { request_uri_user_params: params } : {}),
  }
}

function plainServer(server: DesiredServer): Record<string, unknown> {
  return Object.fromEntries(Object.entries(server).filter(([, value]) => value !== undefined))
}

/**
 * Parts differences found after a write: fields of our server that WhatsApp took but does not
 * report cannot be compared and are no failure.
 */
export function splitUnreported(differences: readonly SettingsDifference[]): {
  wrong: SettingsDifference[]
  unreported: SettingsDifference[]
} {
  const hidden = ({ path, actual }: SettingsDifference): boolean =>
    actual === undefined && /\]\.(port|request_uri_user_params)$/.test(path)
  return {
    wrong: differences.filter((difference) => !hidden(difference)),
    unreported: differences.filter(hidden),
  }
}

/** Equality of JSON-like values; the order of object keys does not matter. */
function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const left = Object.entries(a)
  const right = b as Record<string, unknown>
  return (
    left.length === Object.keys(b).length &&
    left.every(([key, value]) => Object.hasOwn(b, key) && same(value, right[key]))
  )
}
