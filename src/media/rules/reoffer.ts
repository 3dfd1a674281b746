import { CausewayError } from '../../shared/errors/index.ts'
import { sameCodec } from '../sdp/codecs.ts'
import { intendedDirection, mirrored, nowhere } from '../sdp/direction.ts'
import type { AudioDescription } from '../sdp/types.ts'

/**
 * Answers a later offer of the PBX without WhatsApp hearing of it: the description the PBX already
 * has, with the direction mirrored. Packets pass untouched, so an offer that sends from elsewhere,
 * with another key or another codec cannot be taken; one that only holds can, whatever it says.
 *
 * @param offer the PBX's new offer
 * @param before the PBX's description that was settled
 * @param ours what the PBX was told of WhatsApp's side
 * @throws CausewayError `MEDIA_RENEGOTIATION`
 */
export function answerReoffer(
  offer: AudioDescription,
  before: AudioDescription,
  ours: AudioDescription,
): AudioDescription {
  const direction = intendedDirection(offer)
  const sends = direction === 'sendrecv' || direction === 'sendonly'
  if (sends && !nowhere(offer)) demandUnchanged(offer, before)
  const codec = ours.codecs[0]!
  const match = offer.codecs.find((offered) => sameCodec(offered, codec))
  if (!match || match.payloadType !== codec.payloadType) {
    throw new CausewayError('MEDIA_RENEGOTIATION', {
      detail: `the call uses ${codec.name} as payload type ${codec.payloadType}`,
    })
  }
  const offeredKey = offer.crypto.find((line) => line.suite === ours.crypto[0]?.suite)
  return {
    ...ours,
    profile: offer.profile,
    direction: mirrored(direction),
    crypto: ours.crypto.map((line) => ({ ...line, tag: offeredKey?.tag ?? line.tag })),
    mid: offer.mid,
    bundle: offer.bundle,
    index: offer.index,
    others: offer.others,
  }
}

function demandUnchanged(offer: AudioDescription, before: AudioDescription): void {
  if (offer.address !== before.address || offer.port !== before.port) {
    throw new CausewayError('MEDIA_RENEGOTIATION', {
      detail: `media moved from ${before.address}:${before.port} to ${offer.address}:${offer.port}`,
    })
  }
  const same = before.crypto.some((old) => offer.crypto.some((line) => line.key.equals(old.key)))
  if (!same) throw new CausewayError('MEDIA_RENEGOTIATION', { detail: 'the SRTP key changed' })
}
