import type { NumberConfig } from '../config/types.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { SettingsClient } from './client.ts'
import { place } from './dialect.ts'
import { diffSettings, splitUnreported } from './diff.ts'
import { GraphError } from './errors.ts'
import { groupsOf } from './groups.ts'
import { type PlanStep, planStep } from './plan.ts'
import type { CallingPatch, CallingSettings, DesiredCalling, SettingsDifference } from './types.ts'
import { observe } from './warnings.ts'

/** What one comparison or write of a number's settings led to. */
export interface Reconciliation {
  /** The settings as last read. */
  actual: CallingSettings
  /** What differed when the settings were first read. */
  found: SettingsDifference[]
  /** What differs now. */
  drift: SettingsDifference[]
  /** The writes that were made, in order. */
  written: CallingPatch[]
  /** The steps that were taken, in order, and how each ended. */
  steps: TakenStep[]
  /** Fields WhatsApp took but does not report, as text; written once, then taken as settled. */
  settled: string
  /** Catalogue warnings: other servers, restrictions, fields that cannot be verified. */
  warnings: CausewayError[]
  /** Set when a write was refused or did not bring what was asked for; the first such error. */
  error: CausewayError | undefined
}

/** One step of a plan after it was taken. */
export interface TakenStep extends PlanStep {
  /** Why the request was not taken; undefined: it was, and the settings were read back. */
  error: CausewayError | undefined
}

/** Reads a number's settings and reports what differs; writes nothing. Rejects when unreadable. */
export async function verifySettings(
  client: SettingsClient,
  number: NumberConfig,
  desired: DesiredCalling,
): Promise<Reconciliation> {
  const actual = await client.read(number)
  const { wrong, unreported } = splitUnreported(diffSettings(actual, desired))
  return {
    actual,
    found: wrong,
    drift: wrong,
    written: [],
    steps: [],
    settled: describeDifferences(unreported),
    warnings: observe(actual, desired, number, unreported),
    error: undefined,
  }
}

/**
 * Reads a number's settings, writes what differs group by group in the safe order, reads back after
 * each write and compares every field. A key exchange that was reset by a write is sent once more,
 * alone. A group that WhatsApp refuses does not keep the later ones from being written. Rejects
 * when the settings cannot be read at first; what fails later is the `error` of the result.
 *
 * @param settled of the previous result: what was written then and cannot be compared is not
 * written again
 */
export async function applySettings(
  client: SettingsClient,
  number: NumberConfig,
  desired: DesiredCalling,
  settled = '',
): Promise<Reconciliation> {
  const before = await client.read(number)
  const found = diffSettings(before, desired)
  const first = splitUnreported(found)
  const unsettled = describeDifferences(first.unreported) !== settled
  const run = new Run(client, number, desired, before)
  if (first.wrong.length > 0 || unsettled) await run.all(unsettled)
  const { wrong, unreported } = splitUnreported(diffSettings(run.actual, desired))
  const error = run.error ?? (run.written.length > 0 ? failureOf(wrong, number) : undefined)
  return {
    actual: run.actual,
    found,
    drift: wrong,
    written: run.written,
    steps: run.steps,
    settled: error ? '' : describeDifferences(unreported),
    warnings: observe(run.actual, desired, number, error ? [] : unreported),
    error,
  }
}

/** One pass over the groups of a number. */
class Run {
  readonly written: CallingPatch[] = []
  readonly steps: TakenStep[] = []
  actual: CallingSettings
  error: CausewayError | undefined
  readonly #client: SettingsClient
  readonly #number: NumberConfig
  readonly #desired: DesiredCalling

  constructor(
    client: SettingsClient,
    number: NumberConfig,
    desired: DesiredCalling,
    actual: CallingSettings,
  ) {
    this.#client = client
    this.#number = number
    this.#desired = desired
    this.actual = actual
  }

  /** Takes every step; `unsettled` whether to write what cannot be compared, too. */
  async all(unsettled: boolean): Promise<void> {
    for (const group of groupsOf(this.#desired)) {
      const step = planStep(group, this.actual, this.#desired)
      if (!step) continue
      const due = unsettled || splitUnreported(step.differences).wrong.length > 0
      if (due && !(await this.#take(step))) return
    }
  }

  /** Whether the next step may be tried. */
  async #take(step: PlanStep): Promise<boolean> {
    try {
      await this.#write(step.patch, () => planStep(step.group, this.actual, this.#desired)?.patch)
      await this.#keepSrtp(step.patch)
      this.steps.push({ ...step, error: undefined })
      return true
    } catch (refused) {
      if (!isCausewayError(refused)) throw refused
      this.steps.push({ ...step, error: refused })
      this.error ??= refused
      return isRefusal(refused)
    }
  }

  /**
   * Writes and reads back. When the answer to the write is lost, nobody knows whether it was taken:
   * the settings tell, and what is still missing is written once more.
   */
  async #write(patch: CallingPatch, missing: () => CallingPatch | undefined): Promise<void> {
    try {
      await this.#client.write(this.#number, patch)
    } catch (error) {
      if (!isCausewayError(error) || !LOST.has(error.code)) throw error
      this.actual = await this.#client.read(this.#number)
      const rest = missing()
      if (rest) await this.#client.write(this.#number, rest)
    }
    this.written.push(patch)
    this.actual = await this.#client.read(this.#number)
  }

  /** The key exchange once more, alone, when the write that named it did not bring it. */
  async #keepSrtp(patch: CallingPatch): Promise<void> {
    const { srtp_key_exchange_protocol } = this.#desired
    const alone = { srtp_key_exchange_protocol }
    const lost = (): boolean => diffSettings(this.actual, this.#desired).some(isSrtp)
    if (!patch.srtp_key_exchange_protocol || !lost()) return
    await this.#write(alone, () => (lost() ? alone : undefined))
  }
}

/** Errors after which a write may have been taken all the same. */
const LOST: ReadonlySet<string> = new Set(['SETTINGS_TIMEOUT', 'SETTINGS_UNREACHABLE'])

/** Whether WhatsApp refused the values of one group, and not the token or the number as a whole. */
function isRefusal(error: CausewayError): boolean {
  const { code } = error
  return (
    error instanceof GraphError &&
    !error.transient &&
    (code === 'SETTINGS_GRAPH_100' || /^SETTINGS_GRAPH_138/.test(code))
  )
}

/** `path: actual → desired` of every difference, for messages. Holds no secret. */
export function describeDifferences(differences: readonly SettingsDifference[]): string {
  return differences
    .map(({ path, actual, desired }) => `${path}: ${show(actual)} → ${show(desired)}`)
    .join('; ')
}

function failureOf(
  wrong: readonly SettingsDifference[],
  number: NumberConfig,
): CausewayError | undefined {
  if (wrong.length === 0) return undefined
  const code = wrong.every(isSrtp) ? 'SETTINGS_SRTP_NOT_KEPT' : 'SETTINGS_NOT_APPLIED'
  return new CausewayError(code, { place: place(number), detail: describeDifferences(wrong) })
}

function isSrtp({ path }: SettingsDifference): boolean {
  return path === 'calling.srtp_key_exchange_protocol'
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value)
}
