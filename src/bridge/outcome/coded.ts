import { CausewayError, isCausewayError } from '../../shared/errors/index.ts'

/** What was thrown as an error of the catalogue: a foreign one is a fault of Causeway's own. */
export function coded(error: unknown): CausewayError {
  return isCausewayError(error) ? error : new CausewayError('CALL_INTERNAL', { cause: error })
}
