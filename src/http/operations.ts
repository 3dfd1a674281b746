import type { CallRecord } from '../calls/index.ts'
import type { CallMediaReport } from '../media/index.ts'

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
  last_checked: string | undefined
  drift: unknown[]
  error: unknown
  active_calls: number
}

/** A trunk as the API shows it. */
export interface TrunkView {
  name: string
  targets: { uri: string; status: CheckStatus; detail: string }[]
  active_calls: number
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
  trunks(): TrunkView[]
  /** The running configuration, secrets redacted. */
  config(): unknown
  reload(): Promise<ReloadResult>
  drain(): void
  undrain(): void
}
