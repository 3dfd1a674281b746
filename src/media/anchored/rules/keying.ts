import { CausewayError } from '../../../shared/errors/index.ts'
import type { AnchorAbilities, Keying, Suite } from '../../anchor/types.ts'
import { SUITES } from '../../anchor/types.ts'
import type { AudioDescription, Crypto, Dtls } from '../../sdp/types.ts'

/** How a description is protected: `crypto` is the one line to use, for SDES alone. */
export interface Protection {
  keying: Keying
  crypto: Crypto | undefined
}

/** Least protection first. */
const STRENGTH: Record<Keying, number> = { none: 0, sdes: 1, dtls: 2 }

const NONE: Protection = { keying: 'none', crypto: undefined }
const DTLS: Protection = { keying: 'dtls', crypto: undefined }

/** The suites to offer, in the order of {@link SUITES}. */
export function offeredSuites(abilities: AnchorAbilities): Suite[] {
  return SUITES.filter((suite) => abilities.suites.includes(suite))
}

/** The crypto line to take from an offer: the first known suite without weakening parameters. */
export function chooseLine(
  lines: readonly Crypto[],
  abilities: AnchorAbilities,
): Crypto | undefined {
  for (const suite of offeredSuites(abilities)) {
    const line = lines.find((one) => one.suite === suite && one.sessionParameters === '')
    if (line) return line
  }
  return undefined
}

/**
 * How an offer of the PBX is to be protected: as it asks for, but not less than the trunk demands.
 * `RTP/AVP` with a=crypto is what Asterisk offers when encryption is optional; it counts as SDES
 * unless the trunk is plain.
 *
 * @throws CausewayError `MEDIA_NO_SRTP`, `MEDIA_SDES_SUITE`, `MEDIA_DTLS_WITHOUT_ICE`
 */
export function protectionOfPbxOffer(
  offer: AudioDescription,
  demanded: Keying,
  abilities: AnchorAbilities,
): Protection {
  const plain = !offer.profile.includes('SAVP')
  const protection = plain && demanded === 'none' ? NONE : (protectionIn(offer, abilities) ?? NONE)
  const sufficient = STRENGTH[protection.keying] >= STRENGTH[demanded]
  if (sufficient && (plain || protection.keying !== 'none')) return protection
  throw unprotected(offer, demanded === 'none' ? 'sdes' : demanded)
}

/**
 * How WhatsApp's offer is protected.
 * @throws CausewayError `MEDIA_NO_SRTP`, `MEDIA_SDES_SUITE`, `MEDIA_DTLS_WITHOUT_ICE`
 */
export function protectionOfWhatsAppOffer(
  offer: AudioDescription,
  abilities: AnchorAbilities,
): Protection {
  const protection = protectionIn(offer, abilities)
  if (protection) return protection
  throw unprotected(offer, 'sdes')
}

/** What an offer asks for: DTLS by profile, else a crypto line that fits, else a fingerprint. */
function protectionIn(offer: AudioDescription, abilities: AnchorAbilities): Protection | undefined {
  if (offer.profile.startsWith('UDP/TLS')) return demandDtls(offer, abilities)
  const crypto = chooseLine(offer.crypto, abilities)
  if (crypto) return { keying: 'sdes', crypto }
  return offer.dtls ? demandDtls(offer, abilities) : undefined
}

function demandDtls(audio: AudioDescription, abilities: AnchorAbilities): Protection {
  if (!audio.dtls) {
    throw new CausewayError('MEDIA_SDP_INVALID', {
      detail: `profile ${audio.profile} without a=fingerprint`,
    })
  }
  if (!audio.ice && !abilities.dtlsWithoutIce) throw new CausewayError('MEDIA_DTLS_WITHOUT_ICE')
  return DTLS
}

function unprotected(audio: AudioDescription, demanded: Keying): CausewayError {
  if (audio.crypto.length > 0 && demanded !== 'dtls') {
    const suites = audio.crypto.map((line) => line.suite).join(', ')
    return new CausewayError('MEDIA_SDES_SUITE', { detail: `offered ${suites}` })
  }
  const has = audio.crypto.length > 0 ? 'a=crypto' : 'no keys'
  return new CausewayError('MEDIA_NO_SRTP', {
    detail: `profile ${audio.profile} with ${has}; ${demanded} is needed`,
  })
}

/**
 * How an answer to our offer is protected, which must be as we offered.
 *
 * @param lines the crypto lines of our offer
 * @throws CausewayError `MEDIA_NO_SRTP`, `MEDIA_SDES_MISMATCH`, `MEDIA_DTLS_WITHOUT_ICE`
 */
export function protectionOfAnswer(
  answer: AudioDescription,
  keying: Keying,
  lines: readonly Crypto[],
  abilities: AnchorAbilities,
): Protection {
  if (keying === 'none') return NONE
  if (keying === 'dtls') {
    if (!answer.dtls) throw unprotected(answer, 'dtls')
    return demandDtls(answer, abilities)
  }
  if (answer.crypto.length === 0) throw unprotected(answer, 'sdes')
  const crypto = answer.crypto.find(
    (line) =>
      line.sessionParameters === '' &&
      lines.some((offered) => offered.tag === line.tag && offered.suite === line.suite),
  )
  if (crypto) return { keying, crypto }
  const list = (all: readonly Crypto[]) => all.map((one) => `${one.tag} ${one.suite}`).join(', ')
  throw new CausewayError('MEDIA_SDES_MISMATCH', {
    detail: `offered ${list(lines)}; answered ${list(answer.crypto)}`,
  })
}

/**
 * Our DTLS role in answer to an offer (RFC 5763 §5, RFC 8842 §5.3): active where we may choose, and
 * the same as before while the association goes on.
 *
 * @param before the remote's former description and our role, on a leg that is up
 */
export function roleFor(
  offer: AudioDescription,
  before: { dtls: Dtls | undefined; role: 'active' | 'passive' } | undefined,
): 'active' | 'passive' {
  const { setup } = offer.dtls!
  if (setup === 'active') return 'passive'
  if (setup === 'passive') return 'active'
  return before?.dtls && sameCertificate(before.dtls, offer.dtls!) ? before.role : 'active'
}

/** Whether two descriptions show the same certificate. */
function sameCertificate(a: Dtls, b: Dtls): boolean {
  return a.fingerprints.some((one) =>
    b.fingerprints.some((two) => two.algorithm === one.algorithm && two.value === one.value),
  )
}

/** Our role by an answer to `actpass`; one that names no role of its own leaves us the active one. */
export function roleByAnswer(answer: AudioDescription): 'active' | 'passive' {
  return answer.dtls?.setup === 'active' ? 'passive' : 'active'
}

/** A description with only that part of its keys that counts, and an answer's role made plain. */
export function narrowed(
  audio: AudioDescription,
  { keying, crypto }: Protection,
  ourRole: 'active' | 'passive' | undefined,
): AudioDescription {
  const dtls = keying === 'dtls' ? audio.dtls : undefined
  const setup = ourRole === 'active' ? 'passive' : 'active'
  return {
    ...audio,
    crypto: crypto ? [crypto] : [],
    dtls: dtls && ourRole ? { ...dtls, setup } : dtls,
    ice: keying === 'dtls' ? audio.ice : undefined,
  }
}

/** Protection as a call's record names it: `none`, the suite, or `DTLS-SRTP`. */
export function protectionName({ keying, crypto }: Protection): string {
  return keying === 'dtls' ? 'DTLS-SRTP' : (crypto?.suite ?? 'none')
}
