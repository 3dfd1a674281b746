import type { Secret } from '../shared/secret.ts'

/** Meta's spelling of a switch. */
export type Toggle = 'ENABLED' | 'DISABLED'

/** How SRTP keys are exchanged on the WhatsApp leg; WhatsApp's own default is DTLS. */
export type SrtpProtocol = 'DTLS' | 'SDES'

/** One entry of `sip.servers`: the SIP server one app stored on the number. */
export interface SipServer {
  hostname: string
  /** Undefined when not reported; WhatsApp's default is 5061. */
  port: number | undefined
  /** Undefined when not reported. */
  request_uri_user_params: Record<string, string> | undefined
  app_id: string | undefined
  /** Only on a read with credentials, and only for the app of the token. */
  sip_user_password: Secret | undefined
  /** Fields this version does not know. */
  other: Record<string, unknown>
}

export interface OpeningHours {
  /** `MONDAY` … `SUNDAY`. */
  day_of_week: string
  /** `HHMM` */
  open_time: string
  /** `HHMM` */
  close_time: string
}

export interface Holiday {
  /** `YYYY-MM-DD` */
  date: string
  /** `HHMM` */
  start_time: string
  /** `HHMM` */
  end_time: string
}

export interface CallHours {
  status: Toggle | undefined
  /** IANA name. */
  timezone_id: string | undefined
  weekly_operating_hours: OpeningHours[]
  holiday_schedule: Holiday[]
}

/** A restriction WhatsApp put on the number. */
export interface Restriction {
  /** `RESTRICTED_BUSINESS_INITIATED_CALLING`, `RESTRICTED_USER_INITIATED_CALLING`. */
  type: string
  reason: string | undefined
  /** Unix seconds. */
  expiration: number | undefined
}

/**
 * The `calling` object as the Graph API reports it, in Meta's field names and spelling whatever the
 * dialect was. Undefined: not reported.
 */
export interface CallingSettings {
  status: Toggle | undefined
  call_icon_visibility: string | undefined
  callback_permission_status: Toggle | undefined
  srtp_key_exchange_protocol: SrtpProtocol | undefined
  sip: {
    status: Toggle | undefined
    webhook_delivery: Toggle | undefined
    servers: SipServer[]
  }
  audio: { additional_codecs: string[] | undefined }
  call_hours: CallHours | undefined
  restrictions: Restriction[]
  /** Fields this version does not know, as received; passwords in them are wrapped. */
  other: Record<string, unknown>
}

/**
 * The fields Causeway manages, as they should be. Undefined: left as it is on the number.
 */
export interface DesiredCalling {
  status: Toggle
  srtp_key_exchange_protocol: SrtpProtocol
  sip: {
    status: Toggle
    webhook_delivery: Toggle | undefined
    /** Our server; undefined when SIP is to be off, which keeps the stored servers. */
    server: DesiredServer | undefined
  }
  additional_codecs: ('PCMA' | 'PCMU')[] | undefined
}

/** Our entry of `sip.servers`. */
export interface DesiredServer {
  hostname: string
  port: number
  request_uri_user_params: Record<string, string> | undefined
}

/** One field that differs. */
export interface SettingsDifference {
  /** In Meta's names: `calling.sip.servers[sip.example.com].port`. */
  path: string
  /** Undefined: not reported. */
  actual: unknown
  desired: unknown
}

/** The `calling` object of one write: only what is to change. */
export interface CallingPatch {
  status?: Toggle
  srtp_key_exchange_protocol?: SrtpProtocol
  sip?: {
    status: Toggle
    webhook_delivery?: Toggle
    servers?: { hostname: string; port: number; request_uri_user_params?: Record<string, string> }[]
  }
  audio?: { additional_codecs: string[] }
}
