import { CausewayError } from '../../shared/errors/index.ts'
import { isEvent8000, listNames, named, sameCodec } from '../sdp/codecs.ts'
import { chooseCrypto } from '../sdp/crypto.ts'
import { nowhere } from '../sdp/direction.ts'
import type { AudioDescription, Codec, Crypto } from '../sdp/types.ts'

/** WhatsApp's packet time in milliseconds: mandatory both ways (dossier: S11, S1). */
export const PTIME = 20

/** Codec names WhatsApp can be offered besides Opus, when the number has enabled them. */
const OPTIONAL = ['PCMA', 'PCMU']

/** Refuses a description that names no place to send to, at the start of a call. */
export function demandAddress(audio: AudioDescription): void {
  if (nowhere(audio)) {
    throw new CausewayError('MEDIA_NO_ADDRESS', { detail: `c= line says ${audio.address}` })
  }
}

/** Refuses a PBX description that cannot do 20 ms packets. */
export function demandPtime(audio: AudioDescription): void {
  if (audio.maxptime !== undefined && audio.maxptime < PTIME) {
    throw new CausewayError('MEDIA_PTIME', { detail: `maxptime ${audio.maxptime}` })
  }
}

/**
 * The one crypto line of a PBX description.
 * @throws CausewayError `MEDIA_DTLS_PBX`, `MEDIA_NO_SRTP` or `MEDIA_SDES_SUITE`
 */
export function demandPbxCrypto(audio: AudioDescription): Crypto {
  const crypto = chooseCrypto(audio.crypto)
  if (crypto) return crypto
  if (audio.crypto.length > 0) {
    const suites = audio.crypto.map((line) => line.suite).join(', ')
    throw new CausewayError('MEDIA_SDES_SUITE', { detail: `offered ${suites}` })
  }
  if (audio.dtls || audio.profile.startsWith('UDP/TLS')) {
    throw new CausewayError('MEDIA_DTLS_PBX', { detail: `profile ${audio.profile}` })
  }
  throw new CausewayError('MEDIA_NO_SRTP', { detail: `profile ${audio.profile} without a=crypto` })
}

/**
 * The formats of an offer that may be passed on: codecs whose name is allowed, in the offer's
 * order, and telephone-event at 8000 Hz.
 * @throws CausewayError `MEDIA_NO_COMMON_CODEC` when no audio codec is left
 */
export function filterCodecs(offered: readonly Codec[], allowed: readonly string[]): Codec[] {
  const audio = offered.filter((codec) => named(codec, allowed))
  if (audio.length === 0) {
    throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
      detail: `offered ${listNames(offered)}; allowed ${allowed.join(', ') || 'none'}`,
    })
  }
  return [...audio, ...offered.filter(isEvent8000)]
}

/** Names a call between a trunk and a number may use: the trunk's codecs the number has enabled. */
export function allowedCodecs(trunk: readonly string[], additional: readonly string[]): string[] {
  return trunk.filter((name) => {
    const upper = name.toUpperCase()
    if (upper === 'OPUS') return true
    return OPTIONAL.includes(upper) && additional.includes(upper)
  })
}

/**
 * What an answer settles: its first audio codec that was offered, and events when both have them.
 * The payload types are the offer's, because WhatsApp's leg knows those (RFC 3264 §6.1).
 */
export function settledCodecs(answer: readonly Codec[], offer: readonly Codec[]): Codec[] {
  const settled: Codec[] = []
  for (const codec of answer) {
    if (isEvent8000(codec)) continue
    const match = offer.find((offered) => sameCodec(offered, codec))
    if (!match) continue
    settled.push({ ...codec, payloadType: match.payloadType })
    break
  }
  if (settled.length === 0) {
    throw new CausewayError('MEDIA_NO_COMMON_CODEC', {
      detail: `answered ${listNames(answer)}; offered ${listNames(offer)}`,
    })
  }
  const event = offer.find(isEvent8000)
  const answered = answer.find(isEvent8000)
  if (event && answered) settled.push({ ...answered, payloadType: event.payloadType })
  return settled
}

/**
 * What an answer has in common on both legs: 20 ms, `sendrecv` (WhatsApp never hears of a hold),
 * one crypto line, and the places of the offer it answers: profile, mid, BUNDLE, refused lines.
 */
export function answerAs(
  answer: AudioDescription,
  offerReceived: AudioDescription,
  settled: { codecs: Codec[]; crypto: Crypto },
): AudioDescription {
  return {
    ...answer,
    profile: offerReceived.profile,
    direction: 'sendrecv',
    codecs: settled.codecs,
    ptime: PTIME,
    maxptime: PTIME,
    crypto: [{ ...settled.crypto, lifetime: undefined, sessionParameters: '' }],
    dtls: undefined,
    ice: undefined,
    rtcpMux: answer.rtcpMux && offerReceived.rtcpMux,
    mid: offerReceived.mid,
    bundle: offerReceived.bundle,
    index: offerReceived.index,
    others: offerReceived.others,
  }
}

/** What an offer passed on has in common on both legs: one SDES audio line, 20 ms, nothing else. */
export function offerAs(
  offer: AudioDescription,
  chosen: { codecs: Codec[]; crypto: Crypto },
): AudioDescription {
  return {
    ...offer,
    profile: 'RTP/SAVP',
    direction: 'sendrecv',
    codecs: chosen.codecs,
    ptime: PTIME,
    maxptime: PTIME,
    crypto: [{ ...chosen.crypto, lifetime: undefined }],
    dtls: undefined,
    ice: undefined,
    mid: undefined,
    bundle: false,
    index: 0,
    others: [],
  }
}
