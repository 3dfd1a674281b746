import type { SimulatedNumber, SimulatorStore } from '../store.ts'
import type { Spelling } from './spelling.ts'

/** What a reader of the settings gets to see. */
export interface ViewOptions {
  spelling: Spelling
  /** The app that asks sees its own password, and only with `include_sip_credentials=true`. */
  credentialsFor: string | undefined
  /** Whether the optional fields of a server, port and user parameters, are reported. */
  reportServerDetails: boolean
}

/** The `calling` object as `GET …/settings` and the webhook `account_settings_update` show it. */
export function callingView(
  store: SimulatorStore,
  number: SimulatedNumber,
  options: ViewOptions,
): Record<string, unknown> {
  const { calling } = number
  const { spelling } = options
  const { call_icon_visibility, callback_permission_status, ...other } = calling.other
  return {
    status: spelling.toggle(calling.status),
    call_icon_visibility: spelling.visibility(String(call_icon_visibility ?? 'DEFAULT')),
    callback_permission_status: spelling.toggle(String(callback_permission_status ?? 'DISABLED')),
    // Not returned until explicitly set.
    ...(calling.srtp ? { srtp_key_exchange_protocol: spelling.srtp(calling.srtp) } : {}),
    sip: {
      status: spelling.toggle(calling.sipStatus),
      webhook_delivery: spelling.toggle(calling.webhookDelivery),
      servers: serversView(store, number, options),
    },
    audio: { additional_codecs: calling.additionalCodecs },
    ...spelling.features(other),
    ...(number.restrictions.length > 0
      ? { restrictions: spelling.restrictions(number.restrictions) }
      : {}),
  }
}

function serversView(store: SimulatorStore, number: SimulatedNumber, options: ViewOptions) {
  const { spelling, credentialsFor, reportServerDetails } = options
  return [...number.calling.servers.values()].map((server) => ({
    app_id: spelling.appId(server.appId),
    hostname: server.hostname,
    ...(reportServerDetails
      ? { port: server.port, request_uri_user_params: server.requestUriUserParams }
      : {}),
    ...(credentialsFor === server.appId
      ? { [spelling.passwordKey]: store.passwordOf(number, server.appId) }
      : {}),
  }))
}
