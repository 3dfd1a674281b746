/** Settings of WhatsApp numbers through the Graph API: plan, apply, verify, SIP credentials. */
export {
  createSettingsClient,
  type Fetch,
  type SettingsClient,
  type SettingsClientOptions,
} from './client.ts'
export type { CredentialSource } from './credentials.ts'
export { openSettingsDatabase } from './database.ts'
export { type DesiredContext, desiredCalling, desiredContext } from './desired.ts'
export { diffSettings, patchFor } from './diff.ts'
export { GraphError } from './errors.ts'
export {
  createJournal,
  type JournalActor,
  type JournalEntry,
  type JournalSink,
  noJournal,
  type SettingsJournal,
} from './journal.ts'
export {
  createSettingsManager,
  type SettingsManager,
  type SettingsManagerOptions,
} from './manager.ts'
export { parseCalling, parseSettings } from './parse.ts'
export {
  applySettings,
  describeDifferences,
  type Reconciliation,
  verifySettings,
} from './reconcile.ts'
export { recordingClient } from './recording-client.ts'
export { backoffDelay, pause } from './retry.ts'
export { type RotationDeps, type RotationResult, rotate } from './rotation/rotate.ts'
export {
  createRotationStore,
  ROTATION_STEPS,
  type RotationState,
  type RotationStep,
  type RotationStore,
} from './rotation/state.ts'
export { unfinishedRotation } from './rotation/unfinished.ts'
export { foreignServers, ownServer } from './servers.ts'
export type { NumberSettingsState } from './state.ts'
export { readAnchor } from './trust.ts'
export type {
  CallHours,
  CallingPatch,
  CallingSettings,
  DesiredCalling,
  DesiredServer,
  Holiday,
  OpeningHours,
  Restriction,
  SettingsDifference,
  SipServer,
  SrtpProtocol,
  Toggle,
} from './types.ts'
export { type CredentialVault, fileVault, memoryVault } from './vault.ts'
