import type { NumberConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import { place } from '../dialect.ts'
import type { RotationState, RotationStore } from './state.ts'

/**
 * What a rotation that is asked for goes on with: nothing, or the unfinished one when it is to be
 * resumed. One of another number that had the name before counts as none.
 *
 * @throws SETTINGS_ROTATION_UNFINISHED without `resume`, SETTINGS_ROTATION_NONE with it
 */
export function unfinishedRotation(
  store: RotationStore,
  number: NumberConfig,
  resume: boolean,
): RotationState | undefined {
  const state = store.load(number.name)
  const unfinished = state?.phoneNumberId === number.phoneNumberId ? state : undefined
  if (resume && !unfinished) {
    throw new CausewayError('SETTINGS_ROTATION_NONE', { place: place(number) })
  }
  if (!resume && unfinished) {
    const detail = `at the step ${unfinished.step}`
    throw new CausewayError('SETTINGS_ROTATION_UNFINISHED', { place: place(number), detail })
  }
  return unfinished
}
