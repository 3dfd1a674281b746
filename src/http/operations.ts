import type { CallRecord } from '../calls/index.ts'
import type { CallMediaReport } from '../media/index.ts'
import type { JournalEntry, RotationStep } from '../settings/index.ts'

/** State of one checked thing, in the words of health+json. */
export type CheckStatus = 'pass' | 'warn' | 'fail'

/** One check of the health report. */
export interface HealthCheck {
  /** `number`, `calling`, `trunk`, `relay`, `media`, `certificate`, `sip-server`, `listener`, `drain`, `events`. */
  component: string
  /** Which of them: a number's or trunk's name. */
  id: string
  status: CheckStatus
  /** What was found; the error code and fix when something is wrong. No secrets, no numbers. */
  output: string
  /** Whether new calls can be taken in spite of it. */
  ready: boolean
  observedValue?: number | string
  observedUnit?: string
}

/** A number as the API shows it. */
export interface NumberView {
  name: string
  phone_number: string
  phone_number_id: string
  manage: string
  /** `pending`, `ok`, `drift`, `failed`, `off`. */
  status: string
  /** Whether the SIP password is known; the password itself is never shown. */
  credentials: boolean
  credentials_at: string | undefined
  /** When a call last asked for the password; undefined since the start. */
  credentials_used_at: string | undefined
  /** The last rotation of the password, or the one under way; null when there was none. */
  rotation: RotationView | null
  last_checked: string | undefined
  drift: unknown[]
  error: unknown
  active_calls: number
}

/** A rotation of a number's password as the API shows it. */
export interface RotationView {
  number: string
  state: 'running' | 'done' | 'failed'
  /** Whether it is written down as unfinished: once it has failed it can be continued. */
  unfinished: boolean
  /** Steps in the order they were begun. */
  steps: { step: RotationStep; at: string }[]
  /** Calls in progress of the number; they go on. */
  calls: number
  /** Milliseconds the number was switched off; null until it is on again. */
  window_ms: number | null
  /** Of the last attempt; while running, the step is tried again. */
  error: unknown
}

/** A trunk as the API shows it. */
export interface TrunkView {
  name: string
  targets: { uri: string; status: CheckStatus; detail: string }[]
  /** Our registration with the PBX; null where none is configured. */
  registration?: RegistrationView | null
  /** Where the PBX is registered here; null where it may not register. */
  contacts?: ContactView[] | null
  active_calls: number
}

/** Our registration with a PBX as the API shows it. */
export interface RegistrationView {
  /** `registered`, `registering`, `refused`, `unreachable`, `failed`. */
  state: string
  /** Where it is registered, or was tried last. */
  registrar: string
  username: string
  expires_at: string | null
  /** When the next REGISTER goes out; null while one is under way. */
  next_at: string | null
  error: unknown
}

/** A contact a PBX has registered as the API shows it. */
export interface ContactView {
  uri: string
  /** Where the REGISTER came from: `udp:10.0.0.9:5060`. */
  source: string
  q: number
  since: string
  expires_at: string
  user_agent: string
}

/** One sample of a metric. */
export interface Sample {
  labels: Record<string, string>
  value: number
}

/** One metric, collected when it is asked for. The name carries no prefix and no `_total`. */
export interface MetricFamily {
  name: string
  help: string
  type: 'gauge' | 'counter'
  samples: Sample[]
}

/** What a reload did. */
export interface ReloadResult {
  ok: boolean
  /** Key paths applied at once. */
  applied: string[]
  /** Key paths that need a restart. */
  restart: string[]
  errors: unknown[]
  warnings: unknown[]
}

/** What the HTTP interface may see and do. The running instance implements it. */
export interface Operations {
  version: string
  checks(): HealthCheck[]
  metrics(): Promise<MetricFamily[]>
  calls: {
    active(): CallRecord[]
    /** Newest first. */
    ended(): CallRecord[]
    get(id: string): CallRecord | undefined
    /** Figures of a call's media: as it stands, or the last ones of an ended call. */
    report(id: string): Promise<CallMediaReport | undefined>
    /** Ends a call on both legs; false when it is not active. */
    hangUp(id: string): boolean
  }
  numbers(): NumberView[]
  /**
   * Begins to rotate the password of a number, or continues an unfinished rotation. `wait`:
   * milliseconds its calls are waited for.
   *
   * @throws CausewayError APP_NUMBER_UNKNOWN, SETTINGS_ROTATION_RUNNING, _UNFINISHED, _NONE
   */
  rotate(number: string, options: { wait: number; resume: boolean }): RotationView
  /**
   * The last entries of a number's settings journal, newest first.
   *
   * @throws CausewayError APP_NUMBER_UNKNOWN
   */
  journal(number: string, limit: number): JournalEntry[]
  trunks(): TrunkView[]
  /** The running configuration, secrets redacted. */
  config(): unknown
  reload(): Promise<ReloadResult>
  drain(): void
  undrain(): void
}
