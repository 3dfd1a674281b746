import type { LogLevel, NumberStyle } from '../shared/log.ts'
import type { Secret } from '../shared/secret.ts'

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
  records: RecordsConfig
  log: { level: LogLevel; numbers: NumberStyle }
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

/** Desired settings in Meta's own field names; `sip.servers` is derived by Causeway. */
export interface CallingConfig {
  status?: 'ENABLED' | 'DISABLED'
  srtp_key_exchange_protocol?: 'DTLS' | 'SDES'
  sip?: {
    status?: 'ENABLED' | 'DISABLED'
    port?: number
    request_uri_user_params?: Record<string, string>
    webhook_delivery?: 'ENABLED' | 'DISABLED'
  }
  audio?: { additional_codecs?: ('PCMA' | 'PCMU')[] }
  /** Fields of the calling object that are carried but not yet managed. */
  [field: string]: unknown
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
}

/** What happens to a user-initiated call to the number. */
export interface InboundConfig {
  /** Name of a trunk. */
  trunk: string
  /** Template of the user part of the R-URI and To. */
  to: string
  /** Template of the user part of From and PAI. */
  from: string
  /** Milliseconds until the PBX leg is cancelled. */
  ringTimeout: number
  /** Name of the trunk tried when the first fails or does not answer. */
  overflow: string | undefined
  /** Whether WhatsApp gets the PBX's early media (a 183 with SDP, and RTP before the answer). */
  earlyMedia: boolean
  /** Absolute path of the file played while the overflow trunk rings, or when nobody answers. */
  announcement: string | undefined
}

/** One SIP target of a trunk. */
export interface TrunkTarget {
  /** SIP URI without user part: `sip:10.0.0.9:5060;transport=udp`. */
  uri: string
  host: string
  port: number | undefined
  transport: SipTransport
  weight: number
}

export interface TrunkConfig {
  name: string
  /** Priority order. */
  targets: TrunkTarget[]
  register: { registrar: string; username: string; password: Secret; expires: number } | undefined
  /** Answers the PBX's challenge of our INVITEs. */
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
  /** Interval of the OPTIONS ping in milliseconds; 0 is off. */
  options: number
  outbound: {
    /** Name of the number calls leave from, unless From or PAI names one. */
    number: string | undefined
    /** Template of the consumer's user part. */
    to: string
  }
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

export interface RecordsConfig {
  /** Folder of what is kept, absolute. */
  path: string
  /** Key SIP passwords are kept with; undefined: in memory only. */
  secret: Secret | undefined
}
