import { CausewayError } from '../../shared/errors/index.ts'
import type { AudioDescription } from '../sdp/types.ts'
import {
  answerAs,
  demandAddress,
  demandPbxCrypto,
  demandPtime,
  filterCodecs,
  offerAs,
  settledCodecs,
} from './checks.ts'

/**
 * Business-initiated call, first half: the PBX's offer as WhatsApp gets it. One audio line, one
 * crypto line with tag 1 (the only shape seen on live calls), Opus and what the number has enabled,
 * telephone-event at 8000 Hz, 20 ms. `RTP/AVP` with a=crypto, which Asterisk offers when encryption
 * is optional, is taken as SDES.
 *
 * @param allowed codec names the trunk lists and the number has enabled
 * @throws CausewayError `MEDIA_NO_SRTP`, `MEDIA_DTLS_PBX`, `MEDIA_SDES_SUITE`,
 * `MEDIA_NO_COMMON_CODEC`, `MEDIA_PTIME`, `MEDIA_NO_ADDRESS`
 */
export function offerToWhatsApp(
  offer: AudioDescription,
  allowed: readonly string[],
): AudioDescription {
  const crypto = demandPbxCrypto(offer)
  demandAddress(offer)
  demandPtime(offer)
  const codecs = filterCodecs(offer.codecs, allowed)
  return offerAs(offer, { codecs, crypto: { ...crypto, tag: 1 } })
}

/**
 * Business-initiated call, second half: WhatsApp's answer as the PBX gets it, in the profile, with
 * the crypto tag and the m-lines of the PBX's own offer.
 *
 * @throws CausewayError `MEDIA_ANSWER_WHATSAPP`
 */
export function answerToPbx(
  answer: AudioDescription,
  offerSent: AudioDescription,
  offerReceived: AudioDescription,
): AudioDescription {
  const offered = offerSent.crypto[0]!
  const crypto = answer.crypto.find((line) => line.tag === 1 && line.suite === offered.suite)
  if (!crypto) {
    const found = answer.crypto.map((line) => `${line.tag} ${line.suite}`).join(', ') || 'none'
    throw new CausewayError('MEDIA_ANSWER_WHATSAPP', {
      detail: `offered 1 ${offered.suite}, answered ${found}`,
    })
  }
  const tag = offerReceived.crypto.find((line) => line.key.equals(offered.key))?.tag ?? 1
  const codecs = settled(answer, offerSent)
  return answerAs(answer, offerReceived, { codecs, crypto: { ...crypto, tag } })
}

function settled(answer: AudioDescription, offerSent: AudioDescription) {
  try {
    return settledCodecs(answer.codecs, offerSent.codecs)
  } catch (cause) {
    const detail = cause instanceof CausewayError ? cause.detail : undefined
    throw new CausewayError('MEDIA_ANSWER_WHATSAPP', { cause, ...(detail ? { detail } : {}) })
  }
}
