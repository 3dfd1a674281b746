import { CausewayError } from '../../../shared/errors/index.ts'
import type { AnchorAbilities } from '../../anchor/types.ts'
import { nowhere } from '../../sdp/direction.ts'
import { parseAudio } from '../../sdp/parse.ts'
import type { AudioDescription } from '../../sdp/types.ts'
import { type Protection, protectionOfWhatsAppOffer } from './keying.ts'

/**
 * WhatsApp's offer and how it is to be protected: in kind, by what it has.
 * @throws CausewayError `MEDIA_NO_ADDRESS`, `MEDIA_NO_SRTP`, `MEDIA_SDES_SUITE`
 */
export function offerOf(
  audio: AudioDescription,
  abilities: AnchorAbilities,
): { audio: AudioDescription; protection: Protection } {
  if (nowhere(audio)) throw new CausewayError('MEDIA_NO_ADDRESS')
  return { audio, protection: protectionOfWhatsAppOffer(audio, abilities) }
}

/** Reads WhatsApp's answer. @throws CausewayError `MEDIA_ANSWER_WHATSAPP` (502) */
export function parseWhatsAppAnswer(sdp: string): AudioDescription {
  try {
    const audio = parseAudio(sdp)
    if (nowhere(audio)) throw new CausewayError('MEDIA_NO_ADDRESS')
    return audio
  } catch (cause) {
    throw notFitting(cause)
  }
}

/** Codes of rules that an answer can break; broken by WhatsApp they are not the PBX's fault. */
const RULES: readonly string[] = [
  'MEDIA_NO_SRTP',
  'MEDIA_SDES_MISMATCH',
  'MEDIA_SRTP_KEY',
  'MEDIA_DTLS_WITHOUT_ICE',
  'MEDIA_SDP_INVALID',
  'MEDIA_SDES_SUITE',
  'MEDIA_NO_COMMON_CODEC',
]

/** Takes WhatsApp's answer by `accept`; what does not fit in it is `MEDIA_ANSWER_WHATSAPP` (502). */
export async function whatsAppAnswer(accept: () => Promise<void>): Promise<void> {
  try {
    await accept()
  } catch (cause) {
    const ruled = cause instanceof CausewayError && RULES.includes(cause.code)
    throw ruled ? notFitting(cause) : cause
  }
}

function notFitting(cause: unknown): CausewayError {
  const detail = cause instanceof CausewayError ? cause.message : undefined
  return new CausewayError('MEDIA_ANSWER_WHATSAPP', { cause, ...(detail ? { detail } : {}) })
}
