import type { ErrorCode, Owner } from '../shared/errors/index.ts'
import type { DoctorContext } from './context.ts'

/** What a check came to. `skipped` says why in its evidence and is no judgement. */
export type Verdict = 'pass' | 'warn' | 'fail' | 'skipped'

/** The areas of the report, in its order. */
export const AREAS = [
  'Configuration',
  'This machine',
  'Name and certificate',
  'Graph API and settings',
  'WhatsApp SIP',
  'PBX',
  'Media',
] as const

/** Where a check stands in the report. */
export type Area = (typeof AREAS)[number]

/** One thing a check found out. */
export interface Finding {
  verdict: Verdict
  /** What of the configuration it is about: `number support`, `sip:10.0.0.9:5060`. */
  subject: string | undefined
  /** One line: what was seen. Holds no secret. */
  evidence: string
  /** The row below comes from the catalogue; undefined with `pass` and `skipped`. */
  code: ErrorCode | undefined
  cause: string | undefined
  owner: Owner | undefined
  /** What to do: a command, a key of the YAML file, a setting in WhatsApp Manager. */
  fix: string | undefined
}

/** One check. It never writes anywhere and never disturbs a running instance. */
export interface Check {
  /** Name for `--only` and `--skip`. */
  id: string
  area: Area
  /** One line: the question it answers. */
  title: string
  /** Checks whose failure makes this one pointless: it is then skipped, and says so. */
  needs: readonly string[]
  /** Findings, at least one. May reject: the run goes on. */
  run(context: DoctorContext): Promise<readonly Finding[]>
}

/** A check that has run. */
export interface CheckResult {
  id: string
  area: Area
  title: string
  /** The worst of its findings. */
  verdict: Verdict
  /** Milliseconds. */
  ms: number
  findings: readonly Finding[]
}
