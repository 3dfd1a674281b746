import type { NumberConfig } from '../config/types.ts'
import type { CausewayError } from '../shared/errors/index.ts'
import { diffSettings, splitUnreported } from './diff.ts'
import { differencesOf, type FeatureGroup, GROUPS, groupsOf } from './groups.ts'
import { notesFor, type PlanNote } from './notes.ts'
import { patchFor } from './patch.ts'
import type { CallingPatch, CallingSettings, DesiredCalling, SettingsDifference } from './types.ts'
import { observe } from './warnings.ts'

/** One request of a plan. */
export interface PlanStep {
  group: FeatureGroup
  /** What the group is called in prose: `call hours`. */
  title: string
  differences: SettingsDifference[]
  /** The `calling` object of the request. */
  patch: CallingPatch
  /** What the request carries over, replaces or loses. */
  notes: PlanNote[]
}

/** What would be done to a number, as a value: nothing in it has happened yet. */
export interface SettingsPlan {
  /** Requests in the order in which they may safely be made; empty: nothing differs. */
  steps: PlanStep[]
  /** What no write puts right: other apps' servers, restrictions, fields that cannot be compared. */
  warnings: CausewayError[]
}

/** The plan that takes a number from its actual settings to the desired ones. */
export function planSettings(
  actual: CallingSettings,
  desired: DesiredCalling,
  number: NumberConfig,
): SettingsPlan {
  const differences = diffSettings(actual, desired)
  const { unreported } = splitUnreported(differences)
  // A feature that is not shown may simply never have been set; a detail of our server was.
  const hidden = unreported.filter(({ path }) => path.startsWith('calling.sip.'))
  return {
    steps: groupsOf(desired).flatMap((group) => planStep(group, actual, desired) ?? []),
    warnings: observe(actual, desired, number, hidden),
  }
}

/** The request for one group; undefined when nothing of it differs. */
export function planStep(
  group: FeatureGroup,
  actual: CallingSettings,
  desired: DesiredCalling,
): PlanStep | undefined {
  const differences = differencesOf(group, diffSettings(actual, desired))
  const patch = patchFor(differences, actual, desired)
  if (!patch) return undefined
  const notes = notesFor(patch, actual, desired)
  return { group, title: GROUPS[group].title, differences, patch, notes }
}
