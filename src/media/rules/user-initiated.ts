import { CausewayError } from '../../shared/errors/index.ts'
import { chooseCrypto } from '../sdp/crypto.ts'
import type { AudioDescription } from '../sdp/types.ts'
import {
  answerAs,
  demandAddress,
  demandPtime,
  filterCodecs,
  offerAs,
  settledCodecs,
} from './checks.ts'

/**
 * User-initiated call, first half: WhatsApp's offer as the PBX gets it. One audio line, SDES, the
 * trunk's codecs in WhatsApp's order, 20 ms; the WebRTC lines (BUNDLE, mid, msid, ssrc and the
 * placeholder `a=rtcp:9`) stay on WhatsApp's side.
 *
 * @throws CausewayError `MEDIA_DTLS_WHATSAPP`, `MEDIA_NO_COMMON_CODEC`, `MEDIA_NO_ADDRESS`
 */
export function offerToPbx(
  offer: AudioDescription,
  trunkCodecs: readonly string[],
): AudioDescription {
  const crypto = chooseCrypto(offer.crypto)
  if (!crypto) {
    throw new CausewayError('MEDIA_DTLS_WHATSAPP', { detail: `WhatsApp offered ${offer.profile}` })
  }
  demandAddress(offer)
  return offerAs(offer, { codecs: filterCodecs(offer.codecs, trunkCodecs), crypto })
}

/**
 * User-initiated call, second half: the PBX's answer as WhatsApp gets it. The answer echoes what
 * WhatsApp's offer needs echoed (mid, BUNDLE, refused lines), settles one codec and is always
 * `sendrecv`: WhatsApp never hears of a hold.
 *
 * @throws CausewayError `MEDIA_NO_SRTP`, `MEDIA_SDES_MISMATCH`, `MEDIA_NO_COMMON_CODEC`, …
 */
export function answerToWhatsApp(
  answer: AudioDescription,
  offerSent: AudioDescription,
  offerReceived: AudioDescription,
): AudioDescription {
  const offered = offerSent.crypto[0]!
  if (answer.crypto.length === 0) {
    throw new CausewayError(answer.dtls ? 'MEDIA_DTLS_PBX' : 'MEDIA_NO_SRTP', {
      detail: `the PBX answered ${answer.profile} without a=crypto`,
    })
  }
  const crypto = answer.crypto.find(
    (line) => line.tag === offered.tag && line.suite === offered.suite && line.mki === undefined,
  )
  if (!crypto) {
    const found = answer.crypto.map((line) => `${line.tag} ${line.suite}`).join(', ')
    throw new CausewayError('MEDIA_SDES_MISMATCH', {
      detail: `offered ${offered.tag} ${offered.suite}, answered ${found}`,
    })
  }
  demandAddress(answer)
  demandPtime(answer)
  const codecs = settledCodecs(answer.codecs, offerSent.codecs)
  return answerAs(answer, offerReceived, { codecs, crypto })
}
