import { CausewayError } from '../../shared/errors/index.ts'
import { NgError, NgTimeout } from './client.ts'

/** What failed at an instance, by its code in the catalogue; other errors as they are. */
export function coded(error: unknown, name: string): unknown {
  if (error instanceof NgTimeout) {
    return new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail: `${name}: ${error.message}` })
  }
  if (!(error instanceof NgError)) return error
  const detail = `${name}: ${error.message}`
  if (/unknown call/i.test(error.message)) return new CausewayError('MEDIA_RELAY_LOST', { detail })
  if (/port/i.test(error.message)) return new CausewayError('MEDIA_PORTS_EXHAUSTED', { detail })
  if (/playback/i.test(error.message)) return new CausewayError('MEDIA_FILE_INVALID', { detail })
  return new CausewayError('MEDIA_RELAY_UNAVAILABLE', { detail })
}
