import type { LogLevel, NumberStyle } from '../shared/log.ts'
import type { Secret } from '../shared/secret.ts'
import type { InboundConfig, OutboundConfig, PresentationConfig } from './route-types.ts'

export type * from './route-types.ts'

/** Transport of a SIP listener or target. */
export type SipTransport = 'udp' | 'tcp' | 'tls'

/** Where a SIP listener binds: `tls://0.0.0.0:5061`. */
export interface ListenAddress {
  transport: SipTransport
  /** IP literal, IPv6 without brackets. */
  host: string
  /** 0 lets the system choose; the chosen port is reported when the server is up. */
  port: number
}

/** A validated configuration: durations in milliseconds, sizes in bytes, secrets wrapped. */
export interface Config {
  /** Absolute path of the file, for messages and reload. */
  file: string
  sip: SipConfig
  media: MediaConfig
  whatsapp: WhatsAppConfig
  numbers: NumberConfig[]
  trunks: TrunkConfig[]
  limits: LimitsConfig
  http: HttpConfig
  events: EventsConfig
  records: RecordsConfig
  log: { level: LogLevel; numbers: NumberStyle }
  trace: TraceConfig
  /** Undefined: no spans. */
  telemetry: TelemetryConfig | undefined
}

export interface SipConfig {
  /** Host name Meta dials; host of From towards Meta. */
  domain: string
  /** Public address when behind NAT; undefined: the listen address. */
  externalAddress: string | undefined
  listen: { whatsapp: ListenAddress; pbx: ListenAddress[] }
  /** PEM file paths, absolute. Undefined only when no listener uses TLS. */
  tls: { cert: string; key: string } | undefined
  /** The embedded server, or a drachtio-server by address. */
  server: { kind: 'embedded' } | { kind: 'drachtio'; host: string; port: number; secret: Secret }
}

export interface MediaConfig {
  relay: 'embedded' | 'rtpengine' | 'none'
  /** ng control addresses: `udp://127.0.0.1:22222`. */
  rtpengine: string[]
  /** IP literal the RTP sockets bind; default: the host of the first SIP listener for the PBX. */
  listen: string
  /** Public address of the RTP sockets when behind NAT. */
  externalAddress: string | undefined
  /** Inclusive UDP port range. */
  ports: { min: number; max: number }
  /** Threads of the embedded relay. */
  workers: number
  /** How the embedded relay opens its sockets: by system calls where it can, or by Node. */
  sockets: 'auto' | 'node'
  /** Most calls the embedded relay converts between codecs at a time. */
  transcoding: number
  /** Absolute path of the file WhatsApp hears while the PBX holds without sending media. */
  holdMusic: string | undefined
}

export interface WhatsAppConfig {
  provider: 'meta' | '360dialog'
  /** Base URL without a trailing slash. */
  graphUrl: string
  /** `v24.0` */
  graphVersion: string
  /** Host of R-URI and To; the name the TLS certificate must cover. */
  sipDomain: string
  /** SIP URI every request to `sipDomain` is sent to. */
  sipProxy: string
  /** PEM file of additional trust anchors for Graph and SIP, absolute. */
  ca: string | undefined
  /** Accepted source networks of WhatsApp's INVITEs: CIDRs, or `any`. `meta` is expanded. */
  sources: string[] | 'any'
  /** Whether WhatsApp's INVITEs are digest-challenged. */
  challenge: boolean
  /** Milliseconds between two comparisons of a number's settings; 0 is off. */
  checkInterval: number
  /** Milliseconds after which a SIP password is fetched again; 0 is off. */
  credentialsInterval: number
  webhooks:
    | { path: string; verifyToken: Secret | undefined; appSecret: Secret | undefined }
    | undefined
}

type Toggle = 'ENABLED' | 'DISABLED'

/** Desired settings in Meta's own field names; `sip.servers` is derived by Causeway. */
export interface CallingConfig {
  status?: Toggle
  srtp_key_exchange_protocol?: 'DTLS' | 'SDES'
  sip?: {
    status?: Toggle
    port?: number
    /** Only ever empty, with SIP off: our server is to be removed. */
    servers?: unknown[]
    request_uri_user_params?: Record<string, string>
    webhook_delivery?: Toggle
  }
  audio?: { additional_codecs?: ('PCMA' | 'PCMU')[] }
  call_icon_visibility?: 'DEFAULT' | 'DISABLE_ALL' | 'HIDE_IN_CHAT'
  /** ISO 3166-1 alpha-2. */
  call_icons?: { restrict_to_user_countries?: string[] }
  call_hours?: CallHoursConfig
  callback_permission_status?: Toggle
  voicemail?: VoicemailConfig
  video?: { status: Toggle }
  /** Read only: taken from the file and ignored, with a warning. */
  restrictions?: unknown
}

/** Times are `HHMM`, dates `YYYY-MM-DD`, the time zone an IANA name. */
export interface CallHoursConfig {
  status: Toggle
  timezone_id?: string
  weekly_operating_hours?: { day_of_week: string; open_time: string; close_time: string }[]
  holiday_schedule?: { date: string; start_time: string; end_time: string }[]
}

export interface VoicemailConfig {
  status: Toggle
  triggers?: ('REJECT' | 'TIMEOUT')[]
  audio?: { default?: { announcement_media_id?: string; timeout_seconds?: number } }
}

export interface NumberConfig {
  name: string
  /** `+` and digits (E.164). */
  phoneNumber: string
  phoneNumberId: string
  accessToken: Secret | undefined
  manage: 'apply' | 'verify' | 'off'
  /** Bypasses the fetch of the credentials. */
  sipPassword: Secret | undefined
  calling: CallingConfig
  inbound: InboundConfig | undefined
  limits?: CallLimit | undefined
}

/** One SIP target of a trunk. */
export interface TrunkTarget {
  /** SIP URI without user part: `sip:10.0.0.9:5060;transport=udp`. */
  uri: string
  host: string
  port: number | undefined
  transport: SipTransport
  /** Share of the calls among the targets of one priority (RFC 2782). */
  weight: number
  /** The lowest is tried first; 0 when absent. */
  priority?: number
}

/** The OPTIONS ping of a trunk's targets; times in milliseconds. */
export interface OptionsConfig {
  /** 0 is off. */
  interval: number
  timeout: number
  /** Failures in a row that take a target down. */
  downAfter: number
  /** Answers in a row that bring it back. */
  upAfter: number
}

/** TLS of the connections to a trunk's targets; PEM file paths, absolute. */
export interface TrunkTlsConfig {
  /** Client certificate and its key, for a PBX that asks for one. */
  certificate: { cert: string; key: string } | undefined
  /** Trust anchors instead of the system's. */
  ca: string | undefined
  /** Name to be verified instead of the target's host. */
  serverName: string | undefined
}

/** Most calls at a time, and what a call above them is answered. */
export interface CallLimit {
  calls: number
  status: 503 | 486
}

/** How Causeway registers with the PBX of a trunk. */
export interface RegisterConfig {
  /** In the order of trying. */
  registrars: { uri: string; host: string; port: number | undefined; transport: SipTransport }[]
  /** User part of the address of record. */
  username: string
  /** User name of the digest. */
  authUsername: string
  password: Secret
  /** Lifetime asked for, milliseconds. */
  expires: number
  /** User part of our Contact. */
  contact: string
}

export interface TrunkConfig {
  name: string
  /** Priority order. */
  targets: TrunkTarget[]
  register: RegisterConfig | undefined
  /** Answers the PBX's challenge of our INVITEs; default: the account of `register`. */
  credentials: { username: string; password: Secret } | undefined
  accept: {
    /** CIDRs that may call without a digest challenge. */
    from: string[]
    /** With both set, a call from elsewhere is challenged for them. */
    username: string | undefined
    password: Secret | undefined
    registrations: boolean
  }
  media: {
    srtp: 'none' | 'sdes' | 'dtls'
    /** Preference order, canonical spelling: `opus`, `PCMA`, `PCMU`, `G722`. */
    codecs: string[]
    dtmf: 'rfc4733' | 'info'
  }
  /** Undefined: as every other TLS connection. */
  tls: TrunkTlsConfig | undefined
  options: OptionsConfig
  /** Milliseconds a target may answer nothing before the next is tried; 0 does not limit it. */
  failover: { timeout: number }
  /** Hosts a 3xx of the PBX may name: those of the trunk, any, none. */
  redirects: 'own' | 'any' | 'off'
  limits: CallLimit | undefined
  outbound: OutboundConfig
  presentation: PresentationConfig
  permissions: PermissionsConfig
}

/** What is done about the consumer's permission before a business-initiated call. */
export interface PermissionsConfig {
  /** `check` refuses a call without permission, `request` also asks the consumer. */
  mode: 'off' | 'check' | 'request'
  /** The request message as a template; undefined: free-form. */
  template: { name: string; language: string } | undefined
  /** Body of the free-form request message. */
  text: string | undefined
}

export interface LimitsConfig {
  /** Concurrent calls. */
  calls: number
  callsPerNumber: number
  /** New INVITEs a second over both sides. */
  invitesPerSecond: number
}

export interface HttpConfig {
  listen: { host: string; port: number }
  /** Bearer token of everything under /api; undefined: loopback only. */
  token: Secret | undefined
}

/** Types of the events that are published, as in docs/reference/events.md. */
export const EVENT_TYPES = [
  'call.started',
  'call.ringing',
  'call.answered',
  'call.ended',
  'call.reported',
  'call.voicemail',
  'permission.changed',
  'settings.drift',
  'account.violation',
  'account.restriction',
] as const

export type EventType = (typeof EVENT_TYPES)[number]

/** Where events are POSTed. */
export interface EventTarget {
  url: string
  secret: Secret
  /** Undefined: all. */
  events: EventType[] | undefined
}

export interface EventsConfig {
  webhooks: EventTarget[]
}

export interface RecordsConfig {
  /** Folder of what is kept, absolute. */
  path: string
  /** Key SIP passwords are kept with; undefined: in memory only. */
  secret: Secret | undefined
  /** The history of calls; undefined: ended calls live in memory only. */
  calls?: CallHistoryConfig | undefined
}

/** How the history of calls is kept. */
export interface CallHistoryConfig {
  /** Milliseconds a call is kept after its start; 0: without end. */
  keep: number
  /** Bytes; the oldest calls go first. 0: without limit. */
  maxSize: number
  /** 0: without limit. */
  maxCalls: number
  /** Where each finished record is POSTed. */
  push: { url: string; secret: Secret } | undefined
}

/** What is done with the SIP messages of calls. */
export interface TraceConfig {
  messages: 'off' | 'calls'
  /** Messages kept of one call. */
  keep: number
  /** Ended calls whose messages are kept. */
  calls: number
  /** Characters of messages kept in all. */
  memory: number
  hep: HepConfig | undefined
}

/** Where copies of every message go. */
export interface HepConfig {
  target: { host: string; port: number }
  /** Capture agent ID. */
  id: number
  password: Secret | undefined
}

export interface TelemetryConfig {
  /** Base URL without a trailing slash. */
  endpoint: string
  token: Secret | undefined
  /** Header of the token; undefined: `Authorization: Bearer`. */
  header: string | undefined
  serviceName: string
  /** Share of the calls, 0 to 1. */
  sample: number
  /** Whether spans carry phone numbers. */
  numbers: boolean
}
