import type { Config, NumberConfig } from '../config/types.ts'
import { dateIn } from '../shared/calendar.ts'
import { type Clock, systemClock } from '../shared/clock.ts'
import { requestsOf } from './dialect.ts'
import type { DesiredCallHours, DesiredCalling, DesiredVoicemail } from './types.ts'

/** What the derivation of a number's settings needs of the configuration. */
export interface DesiredContext {
  /** `sip.domain`: the host name WhatsApp dials. */
  domain: string
  /** Port of the WhatsApp listener as seen from outside. */
  port: number
  /** How the provider takes writes; default `together`. */
  requests?: DesiredCalling['requests']
  /** What day it is, for holidays; default the system's clock. */
  clock?: Clock
}

/** The context of a configuration; `listenPort` is the bound port when port 0 was asked for. */
export function desiredContext(config: Config, listenPort?: number, clock?: Clock): DesiredContext {
  return {
    domain: config.sip.domain,
    port: listenPort ?? config.sip.listen.whatsapp.port,
    requests: requestsOf(config.whatsapp.provider),
    ...(clock ? { clock } : {}),
  }
}

/**
 * Derives the desired `calling` object of a number from its configuration. Calling and SIP default
 * to ENABLED and the key exchange to SDES, the media path that is built; the SIP server follows
 * from `sip.domain` and the port. Everything else unspecified is left as it is on the number.
 */
export function desiredCalling(number: NumberConfig, context: DesiredContext): DesiredCalling {
  const { calling } = number
  const sip = calling.sip ?? {}
  const sipStatus = sip.status ?? 'ENABLED'
  return {
    status: calling.status ?? 'ENABLED',
    srtp_key_exchange_protocol: calling.srtp_key_exchange_protocol ?? 'SDES',
    sip: {
      status: sipStatus,
      webhook_delivery: sip.webhook_delivery,
      hostname: context.domain,
      server:
        sipStatus === 'DISABLED'
          ? undefined
          : {
              hostname: context.domain,
              // The configuration repeats the port of the listener, which is 0 where the system chooses.
              port: sip.port || context.port,
              request_uri_user_params: sip.request_uri_user_params,
            },
      remove: sipStatus === 'DISABLED' && sip.servers !== undefined,
    },
    additional_codecs: calling.audio?.additional_codecs,
    call_icon_visibility: calling.call_icon_visibility,
    restrict_to_user_countries: calling.call_icons?.restrict_to_user_countries,
    call_hours: desiredHours(calling.call_hours, context.clock ?? systemClock),
    callback_permission_status: calling.callback_permission_status,
    voicemail: desiredVoicemail(calling.voicemail),
    video: calling.video?.status,
    requests: context.requests ?? 'together',
  }
}

function desiredHours(
  hours: NumberConfig['calling']['call_hours'],
  clock: Clock,
): DesiredCallHours | undefined {
  if (!hours) return undefined
  const today = dateIn(hours.timezone_id, clock.now())
  // WhatsApp takes hours whole: with a part missing they can only be switched off.
  const whole = hours.timezone_id !== undefined && hours.weekly_operating_hours !== undefined
  const { timezone_id, weekly_operating_hours, holiday_schedule } = whole ? hours : {}
  return {
    status: hours.status,
    timezone_id,
    weekly_operating_hours,
    holiday_schedule: holiday_schedule?.filter(({ date }) => date >= today),
    today,
  }
}

function desiredVoicemail(
  voicemail: NumberConfig['calling']['voicemail'],
): DesiredVoicemail | undefined {
  if (!voicemail) return undefined
  const standard = voicemail.audio?.default
  return {
    status: voicemail.status,
    triggers: voicemail.triggers,
    announcement_media_id: standard?.announcement_media_id,
    timeout_seconds: standard?.timeout_seconds,
  }
}
