import type { TrunkConfig } from '../../config/types.ts'
import { CausewayError } from '../../shared/errors/index.ts'
import type { Registrar } from './registrar.ts'

/** Why a call found no target in any of its trunks. */
export function unreachable(
  { registrar }: { registrar: Registrar },
  trunks: readonly TrunkConfig[],
): CausewayError {
  const absent = trunks.flatMap((trunk) => registrar.absence(trunk) ?? [])
  const detail = absent.length > 0 ? absent.join('; ') : 'the trunk has no targets'
  return new CausewayError('CALL_PBX_UNREACHABLE', { detail })
}
