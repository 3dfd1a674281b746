import type { NumberConfig } from '../config/types.ts'
import { CausewayError, isCausewayError } from '../shared/errors/index.ts'
import type { SettingsClient } from './client.ts'
import { place } from './dialect.ts'
import { diffSettings, patchFor, splitUnreported } from './diff.ts'
import { foreignServers } from './servers.ts'
import type { CallingPatch, CallingSettings, DesiredCalling, SettingsDifference } from './types.ts'

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
  /** Fields WhatsApp took but does not report, as text; written once, then taken as settled. */
  settled: string
  /** Catalogue warnings: other servers, restrictions, fields that cannot be verified. */
  warnings: CausewayError[]
  /** Set when a write was refused or did not bring what was asked for. */
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
    settled: describeDifferences(unreported),
    warnings: observe(actual, desired, number, unreported),
    error: undefined,
  }
}

/**
 * Reads a number's settings, writes what differs in one `calling` object, reads back and compares
 * every field. A key exchange that was reset by the write is sent once more, alone. Rejects when
 * the settings cannot be read at first; what fails later is the `error` of the result.
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
  let actual = before
  let error: CausewayError | undefined
  const found = diffSettings(before, desired)
  let rest = splitUnreported(found)
  const written: CallingPatch[] = []
  const write = async (patch: CallingPatch): Promise<void> => {
    await client.write(number, patch)
    written.push(patch)
    actual = await client.read(number)
    rest = splitUnreported(diffSettings(actual, desired))
  }
  const patch = patchFor(found, before, desired)
  if (patch && (rest.wrong.length > 0 || describeDifferences(rest.unreported) !== settled)) {
    try {
      await write(patch)
      if (rest.wrong.some(isSrtp)) {
        await write({ srtp_key_exchange_protocol: desired.srtp_key_exchange_protocol })
      }
      error = failureOf(rest.wrong, number)
    } catch (refused) {
      if (!isCausewayError(refused)) throw refused
      error = refused
    }
  }
  return {
    actual,
    found,
    drift: rest.wrong,
    written,
    settled: error ? '' : describeDifferences(rest.unreported),
    warnings: observe(actual, desired, number, error ? [] : rest.unreported),
    error,
  }
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

function observe(
  actual: CallingSettings,
  desired: DesiredCalling,
  number: NumberConfig,
  unreported: readonly SettingsDifference[],
): CausewayError[] {
  const warnings: CausewayError[] = []
  if (unreported.length > 0) {
    warnings.push(warning('SETTINGS_UNVERIFIED', number, pathsOf(unreported)))
  }
  const { server } = desired.sip
  for (const other of server ? foreignServers(actual, server.hostname) : []) {
    const app = other.app_id === undefined ? '' : ` (app ${other.app_id})`
    warnings.push(warning('SETTINGS_FOREIGN_SERVER', number, `${other.hostname}${app}`))
  }
  for (const { type, reason } of actual.restrictions) {
    warnings.push(warning('SETTINGS_RESTRICTED', number, reason ? `${type}: ${reason}` : type))
  }
  return warnings
}

function warning(
  code: 'SETTINGS_FOREIGN_SERVER' | 'SETTINGS_RESTRICTED' | 'SETTINGS_UNVERIFIED',
  number: NumberConfig,
  detail: string,
): CausewayError {
  return new CausewayError(code, { place: place(number), detail })
}

function isSrtp({ path }: SettingsDifference): boolean {
  return path === 'calling.srtp_key_exchange_protocol'
}

function pathsOf(differences: readonly SettingsDifference[]): string {
  return differences.map(({ path }) => path).join(', ')
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value)
}
