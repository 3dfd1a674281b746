/** Settings of WhatsApp numbers through the Graph API: plan, apply, verify, SIP credentials. */
export {
  createSettingsClient,
  type Fetch,
  type SettingsClient,
  type SettingsClientOptions,
  type SettingsReader,
} from './client.ts'
export type { CredentialSource } from './credentials.ts'
export { openSettingsDatabase } from './database.ts'
export { type DesiredContext, desiredCalling, desiredContext } from './desired.ts'
export { diffSettings } from './diff.ts'
export { GraphError } from './errors.ts'
export {
  type GraphCounts,
  GraphMeter,
  type GraphOperation,
  type GraphOutcome,
} from './graph-meter.ts'
export type { FeatureGroup } from './groups.ts'
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
export type { PlanNote } from './notes.ts'
export { parseCalling, parseDocument, parseSettings } from './parse.ts'
export { patchFor } from './patch.ts'
export { type PlanStep, planSettings, type SettingsPlan } from './plan.ts'
export {
  applySettings,
  describeDifferences,
  type Reconciliation,
  type TakenStep,
  verifySettings,
} from './reconcile.ts'
export { recordingClient, recordingReader } from './recording-client.ts'
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
export { foreignServers, ownEntry, ownServer } from './servers.ts'
export type { NumberSettingsState } from './state.ts'
export { readAnchor } from './trust.ts'
export type {
  CallHours,
  CallIcons,
  CallIconVisibility,
  CallingPatch,
  CallingSettings,
  DesiredCallHours,
  DesiredCalling,
  DesiredServer,
  DesiredVoicemail,
  Holiday,
  OpeningHours,
  PatchServer,
  Restriction,
  SettingsDifference,
  SettingsDocument,
  SipServer,
  SrtpProtocol,
  Toggle,
  Voicemail,
} from './types.ts'
export { type CredentialVault, fileVault, memoryVault } from './vault.ts'
export { dateOf } from './warnings.ts'
