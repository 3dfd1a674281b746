import type { Secret } from '../shared/secret.ts'

/** Meta's spelling of a switch. */
export type Toggle = 'ENABLED' | 'DISABLED'

/** Where WhatsApp shows the call button. */
export type CallIconVisibility = 'DEFAULT' | 'DISABLE_ALL' | 'HIDE_IN_CHAT'

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
  /** Empty: not reported, since WhatsApp refuses an empty list. */
  weekly_operating_hours: OpeningHours[]
  holiday_schedule: Holiday[]
  /** Fields this version does not know. */
  other?: Record<string, unknown>
}

/** Who sees the call button. */
export interface CallIcons {
  /** ISO 3166-1 alpha-2; empty: everybody. Undefined: not reported. */
  restrict_to_user_countries: string[] | undefined
  other: Record<string, unknown>
}

/** WhatsApp's own voicemail. */
export interface Voicemail {
  status: Toggle | undefined
  /** `REJECT`, `TIMEOUT`. */
  triggers: string[] | undefined
  announcement_media_id: string | undefined
  timeout_seconds: number | undefined
  /** Fields this version does not know, of `voicemail`, its `audio` and its `audio.default`. */
  other: Record<string, unknown>
  otherAudio: Record<string, unknown>
  otherDefault: Record<string, unknown>
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
  /** The answer only told that the button is hidden, not where: the v23 mirror has one word for both. */
  call_icon_hidden?: true
  /** Undefined: not reported. */
  call_icons: CallIcons | undefined
  callback_permission_status: Toggle | undefined
  srtp_key_exchange_protocol: SrtpProtocol | undefined
  sip: {
    status: Toggle | undefined
    webhook_delivery: Toggle | undefined
    servers: SipServer[]
    other: Record<string, unknown>
  }
  audio: { additional_codecs: string[] | undefined; other: Record<string, unknown> }
  call_hours: CallHours | undefined
  voicemail: Voicemail | undefined
  video: { status: Toggle | undefined; other: Record<string, unknown> } | undefined
  /** Read only. */
  restrictions: Restriction[]
  /** Fields this version does not know, as received; passwords in them are wrapped. */
  other: Record<string, unknown>
}

/** Everything the settings endpoint tells of a number. */
export interface SettingsDocument {
  calling: CallingSettings
  /** The other feature groups as received, by name; secrets in them are wrapped. */
  groups: Record<string, unknown>
}

/**
 * The fields of the configuration, as they should be. Undefined: left as it is on the number.
 */
export interface DesiredCalling {
  status: Toggle
  srtp_key_exchange_protocol: SrtpProtocol
  sip: {
    status: Toggle
    webhook_delivery: Toggle | undefined
    /** `sip.domain`: the host name of our server, also while SIP is to be off. */
    hostname: string
    /** Our server; undefined when SIP is to be off, which keeps the stored servers. */
    server: DesiredServer | undefined
    /** Whether our server is to be removed; SIP is off then. */
    remove: boolean
  }
  additional_codecs: ('PCMA' | 'PCMU')[] | undefined
  call_icon_visibility: CallIconVisibility | undefined
  restrict_to_user_countries: string[] | undefined
  call_hours: DesiredCallHours | undefined
  callback_permission_status: Toggle | undefined
  voicemail: DesiredVoicemail | undefined
  video: Toggle | undefined
  /**
   * How many feature groups the provider takes in one request: what makes a line (status, SIP, key
   * exchange, codecs) `together`, or each group `apart`.
   */
  requests: 'together' | 'apart'
}

export interface DesiredCallHours {
  status: Toggle
  timezone_id: string | undefined
  weekly_operating_hours: OpeningHours[] | undefined
  /** Without those that are over. */
  holiday_schedule: Holiday[] | undefined
  /** `YYYY-MM-DD`: WhatsApp refuses holidays before it, so they are neither compared nor written. */
  today: string
}

export interface DesiredVoicemail {
  status: Toggle
  triggers: string[] | undefined
  announcement_media_id: string | undefined
  timeout_seconds: number | undefined
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
    servers?: PatchServer[]
  }
  audio?: { additional_codecs: string[] }
  call_icon_visibility?: CallIconVisibility
  /** Replaced whole by WhatsApp, as are the two below: unknown fields of the number are repeated. */
  call_icons?: { restrict_to_user_countries: string[]; [field: string]: unknown }
  call_hours?: {
    status: Toggle
    timezone_id?: string
    weekly_operating_hours?: OpeningHours[]
    holiday_schedule: Holiday[]
    [field: string]: unknown
  }
  voicemail?: {
    status: Toggle
    triggers?: string[]
    audio?: { default?: Record<string, unknown>; [field: string]: unknown }
    [field: string]: unknown
  }
  callback_permission_status?: Toggle
  video?: { status: Toggle }
}

/** An entry of `sip.servers` as written. */
export interface PatchServer {
  hostname: string
  port: number
  request_uri_user_params?: Record<string, string>
  [field: string]: unknown
}
