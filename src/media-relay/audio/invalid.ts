import { CausewayError } from '../../shared/errors/index.ts'

/** `MEDIA_FILE_INVALID` with what was found in its place; {@link loadAudioFile} adds the path. */
export function invalid(found: string, cause?: unknown): CausewayError {
  return new CausewayError('MEDIA_FILE_INVALID', { detail: found, cause })
}
