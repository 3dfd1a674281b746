import type { SipTransport } from '../config/types.ts'
import type { Secret } from '../shared/secret.ts'

/** A PBX configuration can be written for. */
export type PbxKind = 'asterisk' | 'freeswitch'

/** A file of the PBX's configuration. */
export interface PbxFile {
  /** Path below the folder of the PBX's configuration. */
  name: string
  /** What it is for, in a few words. */
  about: string
  contents: string
}

/** What the file of Causeway cannot know about the PBX. */
export interface PbxOptions {
  /** Name or address the PBX reaches Causeway at; undefined: by the configuration. */
  host: string | undefined
  /** Transport of a PBX that registers; undefined: TLS for SDES where Causeway has it, else the first. */
  over: SipTransport | undefined
  /** What rings: `1001`, or `600@ivr` for an extension of a context of the dialplan. */
  extension: string
  /** Name of a transport (Asterisk) the PBX has already; undefined: one is written. */
  transport: string | undefined
  /** PEM files as the PBX sees them, for TLS. */
  cert: string
  key: string
  ca: string
  /** How a secret is written: as it is, or as a placeholder. */
  secret: (value: Secret) => string
}

/** Name and password of an account. */
export interface Account {
  username: string
  password: Secret
}

/** How both sides of a trunk come to know each other. */
export type TrunkMode = 'address' | 'causeway-registers' | 'pbx-registers'

/** Host and port, IPv6 without brackets. */
export interface Place {
  host: string
  port: number
}

/** A business number whose calls come over the trunk. */
export interface NumberFacts {
  name: string
  /** `+E.164` */
  phoneNumber: string
  /** User part the PBX is called at; undefined when it depends on the caller. */
  user: string | undefined
  /** Seconds until Causeway gives up. */
  ringSeconds: number
}

/** A trunk as its PBX sees it. */
export interface TrunkFacts {
  name: string
  mode: TrunkMode
  transport: SipTransport
  /** Causeway as the PBX reaches it. */
  causeway: Place
  /** Whether that host is a guess: the listener is bound to every address. */
  guessed: boolean
  /** Whether another trunk has the same PBX, so that an address does not tell them apart. */
  shared: boolean
  /** Every name or address requests of Causeway may come from. */
  sources: string[]
  /** Where Causeway calls the PBX; undefined when the PBX registers. */
  pbx: Place | undefined
  /** Realm of Causeway's challenges. */
  domain: string
  /** Account of Causeway at the PBX: what the PBX asks for. */
  ours: Account | undefined
  /** Account of the PBX at Causeway: what Causeway asks for. */
  theirs: Account | undefined
  /** User Causeway registers as, where it does. */
  registers: string | undefined
  /** Lifetime of a registration in seconds. */
  expires: number
  srtp: 'none' | 'sdes' | 'dtls'
  /** `opus`, `PCMA`, `PCMU`, `G722` in order of preference. */
  codecs: string[]
  dtmf: 'rfc4733' | 'info'
  numbers: NumberFacts[]
  /** Business number calls leave from, unless the PBX names another; `+E.164`. */
  caller: string | undefined
  /** Every business number the PBX may call from. */
  callers: string[]
  /** UDP ports of Causeway's media. */
  ports: string | undefined
}

/** Files, and what their reader has to know about them. */
export interface Generated {
  files: PbxFile[]
  /** What was assumed, a sentence each. */
  notes: string[]
}
