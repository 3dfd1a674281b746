import type { NumberConfig } from '../config/types.ts'
import { CausewayError } from '../shared/errors/index.ts'
import type { Logger } from '../shared/log.ts'
import type { SettingsClient } from './client.ts'
import { type DesiredContext, desiredCalling } from './desired.ts'
import { place } from './dialect.ts'
import type { JournalActor } from './journal.ts'
import {
  applySettings,
  describeDifferences,
  type Reconciliation,
  verifySettings,
} from './reconcile.ts'
import type { RepairLimit, Truce } from './repair-limit.ts'
import type { NumberSettingsState } from './state.ts'
import type { CallingSettings, DesiredCalling } from './types.ts'

/** What an attempt works with. */
export interface AttemptDeps {
  client: SettingsClient
  context: DesiredContext
  limit: RepairLimit
  log: Logger
  /** Takes the password out of settings that were read; whether there was one. */
  keepPassword(number: NumberConfig, settings: CallingSettings): boolean
  /** Whether a password of the number is known, from wherever. */
  knows(number: NumberConfig): boolean
}

/** What an attempt came to. */
export interface Attempt {
  change: Partial<NumberSettingsState>
  /** See {@link Reconciliation.settled}. */
  settled: string
  /** Fields left alone, when they were repaired too often. */
  truce: Truce | undefined
}

/**
 * Compares a number's settings with the configuration once and, under `manage: apply`, puts them
 * right, unless the same fields were put right too often lately. Rejects when they cannot be read.
 */
export async function attemptSettings(
  number: NumberConfig,
  settled: string,
  who: JournalActor,
  deps: AttemptDeps,
): Promise<Attempt> {
  if (number.manage === 'off') return await readOnly(number, settled, deps)
  const desired = desiredCalling(number, deps.context)
  const { result, truce } = await reconcile(number, desired, settled, who, deps)
  report(number, result, deps.log)
  deps.keepPassword(number, result.actual)
  const needed = desired.sip.server !== undefined && !deps.knows(number)
  const missing = needed ? noPassword(number, deps.context.domain) : undefined
  const { actual, drift, warnings } = result
  const error = truce ? fight(number, drift) : (result.error ?? missing)
  const left = truce !== undefined || (number.manage === 'verify' && drift.length > 0)
  const status = left ? 'drift' : error ? 'failed' : 'ok'
  return { change: { status, actual, drift, warnings, error }, settled: result.settled, truce }
}

async function readOnly(
  number: NumberConfig,
  settled: string,
  deps: AttemptDeps,
): Promise<Attempt> {
  // With its own password and nothing to compare, the number needs no request at all.
  if (number.sipPassword) {
    return { change: { status: 'ok', error: undefined }, settled, truce: undefined }
  }
  const actual = await deps.client.read(number)
  const found = deps.keepPassword(number, actual)
  const error = found ? undefined : noPassword(number, deps.context.domain)
  return { change: { status: error ? 'failed' : 'ok', actual, error }, settled, truce: undefined }
}

async function reconcile(
  number: NumberConfig,
  desired: DesiredCalling,
  settled: string,
  who: JournalActor,
  { client, limit }: AttemptDeps,
): Promise<{ result: Reconciliation; truce: Truce | undefined }> {
  const verify = () => verifySettings(client, number, desired)
  if (number.manage === 'verify') return { result: await verify(), truce: undefined }
  const truce = limit.truce(number.name)
  if (truce) {
    const result = await verify()
    const fought = result.drift.some(({ path }) => truce.paths.includes(path))
    if (fought || result.drift.length === 0) return { result, truce: fought ? truce : undefined }
  }
  const result = await applySettings(client, number, desired, settled)
  // What an operator asked for is no answer to somebody else's change, and what did not stay has an
  // error of its own.
  const repaired = result.written.length > 0 && !result.error
  if (repaired && who !== 'start' && who !== 'reload') {
    limit.note(
      number.name,
      result.found.map(({ path }) => path),
    )
  }
  return { result, truce: undefined }
}

function report(number: NumberConfig, result: Reconciliation, log: Logger): void {
  const { found, written, warnings } = result
  if (written.length > 0) {
    log.info(
      { number: number.name, changes: describeDifferences(found), writes: written.length },
      'settings written',
    )
  } else if (found.length > 0) {
    const detail = describeDifferences(found)
    const { code, fix } = new CausewayError('SETTINGS_DRIFT')
    log.warn({ number: number.name, code, detail, fix }, 'settings drift')
  }
  for (const { code, detail, fix } of warnings) {
    log.warn({ number: number.name, code, detail, fix }, 'settings warning')
  }
}

function fight(number: NumberConfig, drift: Reconciliation['drift']): CausewayError {
  const detail = describeDifferences(drift)
  return new CausewayError('SETTINGS_FIGHT', { detail, place: place(number) })
}

function noPassword(number: NumberConfig, domain: string): CausewayError {
  const detail = `no password for ${domain}`
  return new CausewayError('SETTINGS_CREDENTIALS_MISSING', { detail, place: place(number) })
}
